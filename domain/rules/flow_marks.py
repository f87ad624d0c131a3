"""What money that comes in or goes out does to the high-water marks."""

from enum import StrEnum


class FlowMarks(StrEnum):
    """Of all trailing floors of a phase together: they follow the same marks."""

    SHIFT = "shift"  # by the flow's amount: the distance to the floor stays
    RESET = "reset_to_initial"  # to the deposit; what stands then raises them again
    KEEP = "keep"  # the room below shrinks, or grows, by the flow's amount
