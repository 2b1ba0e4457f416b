"""The messages of a system that votes and says nothing else."""

from folkmoot.agreement.forms import Forms
from folkmoot.agreement.messages import FIELDS, LIMITS, MESSAGE_KINDS, wrong

VOTING = Forms(MESSAGE_KINDS, FIELDS, wrong, LIMITS)
