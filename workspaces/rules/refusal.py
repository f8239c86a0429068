"""The one base of what verbs refuse."""


class Refusal(Exception):
    """A verb says no, with a sentence for people.

    `field` names the input it is about, so that a form can show it there; `code` is stable, for the
    API.
    """

    code = "refused"

    def __init__(self, sentence: str, *, field: str = "", code: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field
        if code:
            self.code = code
