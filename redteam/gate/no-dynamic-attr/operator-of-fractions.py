# role: helper
# rule: prism:no-dynamic-attr | prism:no-forbidden-import
# tries: Takes attrgetter from the operator module that fractions imports.
import fractions

GET = fractions.operator.attrgetter
