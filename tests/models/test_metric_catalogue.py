"""Every metric of the catalogue has its own label and explanation."""

from src.models.metric_catalogue import METRIC_CATALOGUE


def test_explanations_are_sentences_without_field_names() -> None:
    for entry in METRIC_CATALOGUE:
        assert entry.explanation[0].isupper() or entry.explanation[0].isdigit()
        assert entry.explanation.endswith(".")
        assert "_" not in entry.explanation
        assert entry.label


def test_no_two_metrics_have_the_same_label() -> None:
    labels = [entry.label for entry in METRIC_CATALOGUE]
    assert len(set(labels)) == len(labels)
