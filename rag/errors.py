"""The errors a caller of Pressmark meets.

    PressmarkError
    ├── SettingsError        a setting has a value that cannot be used
    ├── StoreError           the archive or the vector index cannot be opened or is damaged
    │   └── StoreLockedError another process owns the store
    ├── ModelError           a model cannot be loaded, or is not the one the index was made with
    │   └── ChatModelError   the chat model failed, or its package or key is missing
    ├── SourceError          a source, file or record cannot be read as articles
    │   └── FetchError       a web address cannot be fetched, or may not
    ├── NotFoundError        no article, answer or run has that id
    ├── BusyError            too many questions wait already
    ├── AnswerTimeoutError   an answer took longer than it may
    ├── NotAllowedError      the caller may not do this here
    └── DatasetError         an eval dataset is not in the documented form

Every message names the value at fault and what to do about it.
"""


class PressmarkError(Exception):
    """Any failure that Pressmark explains to the person who caused or can mend it."""


class SettingsError(PressmarkError):
    """A setting has a value that cannot be used."""


class StoreError(PressmarkError):
    """The archive or the vector index cannot be opened or is damaged."""


class StoreLockedError(StoreError):
    """Another process owns the store."""


class ModelError(PressmarkError):
    """A model cannot be loaded, or is not the one the index was made with."""


class ChatModelError(ModelError):
    """The chat model failed, or its package or key is missing."""


class SourceError(PressmarkError):
    """A source, file or record cannot be read as articles."""


class FetchError(SourceError):
    """A web address cannot be fetched, or may not; the message goes on from the address."""


class NotFoundError(PressmarkError):
    """No article, answer or run has that id."""


class DatasetError(PressmarkError):
    """An eval dataset is not in the documented form."""


class BusyError(PressmarkError):
    """Too many questions wait already."""


class AnswerTimeoutError(PressmarkError):
    """An answer took longer than it may."""


class NotAllowedError(PressmarkError):
    """The caller may not do this here."""
