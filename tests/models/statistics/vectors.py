"""What a vector of the published document is, and what of it is not shipped.

The document lies beside the repository, never in it: its numbers are here, in the modules
`vectors_of_*`, and where it is at hand `test_vectors.py` holds that none of it is left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from evidence import Row


@dataclass(frozen=True)
class Vector:
    """Sums of which the document says what comes of them.

    Attributes:
        name: Where the document has its outputs, as keys with dots between them.
        query: The file of `queries/` that computes them.
        rows: What it computes them from.
        answers: A mapping for each row of the answer, from the output's place in the document to
            the answer's column and the number there.
        decimals: How many the document gives, where it has its numbers from elsewhere, rounded.
    """

    name: str
    query: str
    rows: Sequence[Row]
    answers: Sequence[Mapping[str, tuple[str, float]]]
    decimals: int | None = None

    def outputs(self) -> Iterator[tuple[str, float]]:
        """Where each number lies in the document, and the number."""
        for answer in self.answers:
            for place, (_, value) in answer.items():
                yield f"{self.name}.outputs.{place}", value


def means(treated: tuple[int, float, float], control: tuple[int, float, float]) -> Row:
    """Two arms, each as its people, the sum of what they have and the sum of its squares."""
    names = ("n", "sum_y", "sum_yy")
    row = {f"{name}_t": value for name, value in zip(names, treated, strict=True)}
    return row | {f"{name}_c": value for name, value in zip(names, control, strict=True)}


def as_normal(effect: float, standard_error: float) -> Row:
    """An effect that is tested as normal."""
    return {"effect": effect, "standard_error": standard_error, "degrees_of_freedom": None}


# Patterns of places whose numbers no macro gives, and why none does.
NOT_SHIPPED = {
    "proportions_*.ci_diff_agresti-caffo.*": "Newcombe's interval is the one for few conversions",
    "proportions_*.ci_diff_score.*": "found by iteration; Newcombe's has a closed form",
    "proportions_*.p_score_diff": "found by iteration; the pooled test goes with Newcombe's",
    "proportions_*.ci_ratio_log-adjusted.*": "relative lift has Fieller's interval",
    "proportions_*.ci_ratio_score.*": "found by iteration; relative lift has Fieller's interval",
    "proportions_*.fisher_p": "a sum over all tables, and too careful; the pooled test stands",
    "cuped_crosscheck_ols_spend.*": "regressions that bear CUPED out, over rows, not over sums",
    "sequential_*.statsig_msprt.*": "another vendor's, and wider than GrowthBook's",
    "sequential_*.eppo_*": "another vendor's, made for relative lift",
    "multiple_testing.*.bonferroni.*": "Holm rejects whatever it rejects, and more",
    "multiple_testing.*.holm-sidak.*": "holds for independent tests only, which goals are not",
    "multiple_testing.*.simes-hochberg.*": "not valid for any dependence, as Holm is",
    "multiple_testing.*.hommel.*": "not valid for any dependence, as Holm is",
    "multiple_testing.*.fdr_by.*": "goals rise and fall together, for which BH holds",
    "power.statsmodels_TTestIndPower*": "solved by iteration; a person more than the normal plan",
    "cace_new_haven.*.se_naive_itt_se_over_fs": "leaves out that deliveries are counted, too",
    "cace_new_haven.*.biased_*": "no effect; never to be shown as one",
    "winsorize_*.cap_discrete": "the cap is interpolated, as DuckDB and Spark both can",
    "winsorize_*.p999_incl_zeros": "the cap is a quantile of those who spent anything",
    "heterogeneity_*_by_newbie.*.diff": "the effects are there, and Q says if they differ",
    "heterogeneity_*_by_newbie.*.z": "its square is Q",
    "bayes_*.flat.post_*": "with a flat prior, the estimate and its standard error",
    "bayes_*.flat.ci95.*": "with a flat prior, the delta interval",
    "bayes_*.prior_N_0_0_3sq.*": "what is believed before is nobody's but the reader's",
    "km_toy.*.km_control_ci.0.*": "before the first event nothing tells how far it is off: null",
    "km_toy.*.lifelines_rmst_variance.*": "of a person's time, not of the mean's",
    "km_toy.*.logrank_*": "restricted means say by how much, and hold where curves cross",
    "growthbook_own_test.*.relative_delta.ci.*": "relative lift has Fieller's interval",
    "growthbook_own_test.*.relative_delta.p": "one test for the absolute and relative effect",
    "hall_*.sum_cubes_*": "what is computed from",
    "hall_*.n_control": "what is computed from",
    "md5_bucket.*.u": "a bucket of 10,000 is as fine as any split here is planned",
}

# Places of numbers that take people's rows, which lie beside the repository, too: they are held by
# test_spend_was_cut_where_numpy_cuts_it in tests/real_data/test_hillstrom.py.
ASSERTED_ON_PEOPLE = {
    "winsorize_spend_mens_vs_control.outputs.cap": 362.2,
    "winsorize_spend_mens_vs_control.outputs.n_nonzero": 578,
    "winsorize_spend_mens_vs_control.outputs.n_capped_control": 7,
    "winsorize_spend_mens_vs_control.outputs.n_capped_treatment": 14,
}
