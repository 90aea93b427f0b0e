from work import *
