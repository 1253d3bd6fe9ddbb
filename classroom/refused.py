"""What a room does not permit, said in a sentence."""


class Refused(Exception):
    """Its text is a sentence for whoever has asked."""


GONE = "This room is over. Ask for a new code."
NOT_YOURS = "Only the teacher of a room can do that."
