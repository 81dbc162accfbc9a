"""Datasets, their immutable versions, columns and levels, and how files come into the store.

It decides what is registered and what a version holds; it never decides who may read it.
"""

from gongshu.catalogue.columns import MAX_COLUMNS
from gongshu.catalogue.ingest import MAX_UPLOAD_BYTES, Delivery, discard, ingest
from gongshu.catalogue.models import Column, Dataset, Version
from gongshu.catalogue.overview import (
    Listed,
    lapsing_registrations,
    list_datasets,
    visible_dataset,
    visible_version,
    waiting_versions,
)
from gongshu.catalogue.registration import ColumnFacts, NewDataset, Renewal, VersionFacts, require_registrable
from gongshu.catalogue.service import (
    DRAFT,
    PREPARED,
    SIGNED_OFF,
    can_sign_off,
    deliver_version,
    describe_columns,
    find_dataset,
    find_version,
    register_dataset,
    renew_registration,
    require_can_register,
    require_can_sign_off,
    return_version,
    sign_off,
)
from gongshu.catalogue.versions import (
    DATA_BUCKET,
    ColumnSpec,
    DataFile,
    DatasetVersion,
    KnownVersions,
    dataset_version,
    dataset_versions,
    signed_off_names,
)
from gongshu.catalogue.vocabulary import CATEGORIES, FREQUENCIES, LEGAL_GRADES, LEVELS, OPENING, SHARING, words_of

__all__ = [
    "CATEGORIES",
    "DATA_BUCKET",
    "DRAFT",
    "FREQUENCIES",
    "LEGAL_GRADES",
    "LEVELS",
    "MAX_COLUMNS",
    "MAX_UPLOAD_BYTES",
    "OPENING",
    "PREPARED",
    "SHARING",
    "SIGNED_OFF",
    "Column",
    "ColumnFacts",
    "ColumnSpec",
    "DataFile",
    "Dataset",
    "DatasetVersion",
    "Delivery",
    "KnownVersions",
    "Listed",
    "NewDataset",
    "Renewal",
    "Version",
    "VersionFacts",
    "can_sign_off",
    "dataset_version",
    "dataset_versions",
    "deliver_version",
    "describe_columns",
    "discard",
    "find_dataset",
    "find_version",
    "ingest",
    "lapsing_registrations",
    "list_datasets",
    "register_dataset",
    "renew_registration",
    "require_can_register",
    "require_can_sign_off",
    "require_registrable",
    "return_version",
    "sign_off",
    "signed_off_names",
    "visible_dataset",
    "visible_version",
    "waiting_versions",
    "words_of",
]
