# role: helper
# rule: prism:no-threads
# tries: Schedules code for later with the sched module.
import sched as schedule


def plan():
    return schedule.scheduler().enter(1, 1, print)
