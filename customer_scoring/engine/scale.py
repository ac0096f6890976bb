"""From outside scales to 0–100, where more is better."""


def normalise(value, worst, best):
    """Return where a number is between the worst (0) and the best (100) value of its scale.

    The worst may be the larger number: an index that runs from 100 (best) to 600.

    :raise ValueError: if the number is off the scale
    """
    if worst == best:
        raise ValueError("scale")
    low, high = sorted((worst, best))
    if not low <= value <= high:
        raise ValueError("range")
    return 100.0 * (value - worst) / (best - worst)


def weighted_mean(pairs):
    """Return the mean of (value, weight), None where nothing weighs."""
    total = sum(weight for _value, weight in pairs)
    return sum(value * weight for value, weight in pairs) / total if total else None


def questionnaire_score(answers):
    """Return the score 0–100 of answers (points, most points, weight); None where nothing was answered.

    Each question counts as the share of its most points, by its weight.
    """
    return weighted_mean([(100.0 * points / most, weight) for points, most, weight in answers if most > 0])
