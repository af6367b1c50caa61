"""Published vectors of rates, sample ratios, daily looks and families of tests."""

from collections.abc import Sequence

from evidence import Row
from vectors import Vector, as_normal

LOOK = {"effect": 0.4244122159365967, "se": 0.13033285852919116, "people": 42693}

P_VALUES = [0.0011293966, 0.00015602836, 0.03046865, 0.0205, 0.2, 0.04, 0.9]
# As Holm and as Benjamini and Hochberg adjust each, and whether that is at most 0.05.
ADJUSTED = [
    {
        f"holm.adjusted.{i}": ("holm", holm),
        f"holm.reject.{i}": ("is_rejected", is_rejected),
        f"fdr_bh.adjusted.{i}": ("benjamini_hochberg", expected),
        f"fdr_bh.reject.{i}": ("is_discovered", is_discovered),
    }
    for i, (holm, is_rejected, expected, is_discovered) in enumerate(
        [
            (0.0067763796, True, 0.0039528881, True),
            (0.00109219852, True, 0.00109219852, True),
            (0.1218746, False, 0.0533201375, False),
            (0.10250000000000001, False, 0.04783333333333334, True),
            (0.4, False, 0.23333333333333336, False),
            (0.1218746, False, 0.056, False),
            (0.9, False, 0.9, False),
        ]
    )
]


def _arms(people: Sequence[int], weights: Sequence[float]) -> list[Row]:
    """A row an arm, and the share it was planned to have."""
    shares = [weight / sum(weights) for weight in weights]
    return [
        {"experiment": 0, "people": arm, "share": share}
        for arm, share in zip(people, shares, strict=True)
    ]


VECTORS = [
    Vector(
        "proportions_conversion_mens_vs_control",
        "proportions",
        [{"x_t": 267, "n_t": 21307, "x_c": 122, "n_c": 21306}],
        [
            {
                "diff": ("difference", 0.006805006519615695),
                "ratio": ("ratio", 2.188421876286328),
                "z_pooled": ("z", 7.385114410925771),
                "p_pooled": ("p_value", 1.5232235005955427e-13),
                "ci_diff_wald.0": ("wald_low", 0.005000171380452312),
                "ci_diff_wald.1": ("wald_high", 0.008609841658779076),
                "ci_diff_newcomb.0": ("low", 0.005014344671481532),
                "ci_diff_newcomb.1": ("high", 0.008640723396917826),
                "ci_ratio_log.0": ("ratio_low", 1.7679840780104206),
                "ci_ratio_log.1": ("ratio_high", 2.708842442743053),
                "wilson_treatment.0": ("wilson_low", 0.011122885010307802),
                "wilson_treatment.1": ("wilson_high", 0.014115041885257276),
                "wilson_control.0": ("wilson_low_c", 0.00479820584596141),
                "wilson_control.1": ("wilson_high_c", 0.006832169692008918),
                "chi2_nocorr.0": ("chi_square", 54.53991486246351),
                "chi2_nocorr.1": ("chi_square_p", 1.5232235005955455e-13),
            }
        ],
    ),
    Vector(
        "proportions_small",
        "proportions",
        [{"x_t": 16, "n_t": 30, "x_c": 14, "n_c": 28}],
        [
            {
                "diff": ("difference", 0.033333333333333326),
                "ratio": ("ratio", 1.0666666666666667),
                "z_pooled": ("z", 0.2538591035287969),
                "p_pooled": ("p_value", 0.7996044106165793),
                "ci_diff_wald.0": ("wald_low", -0.22389928523783992),
                "ci_diff_wald.1": ("wald_high", 0.29056595190450657),
                "ci_diff_newcomb.0": ("low", -0.2110311284961098),
                "ci_diff_newcomb.1": ("high", 0.2724345142951782),
                "ci_ratio_log.0": ("ratio_low", 0.6474599093435193),
                "ci_ratio_log.1": ("ratio_high", 1.7572945619620026),
                "wilson_treatment.0": ("wilson_low", 0.36142299619873297),
                "wilson_treatment.1": ("wilson_high", 0.6976761109230025),
                "wilson_control.0": ("wilson_low_c", 0.32633127457293465),
                "wilson_control.1": ("wilson_high_c", 0.6736687254270654),
                "chi2_nocorr.0": ("chi_square", 0.06444444444444433),
                "chi2_nocorr.1": ("chi_square_p", 0.7996044106165795),
            }
        ],
    ),
    Vector(
        "proportions_rare_unbalanced_5pct_holdout",
        "proportions",
        [{"x_t": 209, "n_t": 19000, "x_c": 7, "n_c": 1000}],
        [
            {
                "diff": ("difference", 0.003999999999999999),
                "ratio": ("ratio", 1.5714285714285714),
                "z_pooled": ("z", 1.192800637027027),
                "p_pooled": ("p_value", 0.2329474605661911),
                "ci_diff_wald.0": ("wald_low", -0.00137601327291489),
                "ci_diff_wald.1": ("wald_high", 0.009376013272914888),
                "ci_diff_newcomb.0": ("low", -0.0035076198998887816),
                "ci_diff_newcomb.1": ("high", 0.007938200985620147),
                "ci_ratio_log.0": ("ratio_low", 0.7419854231518911),
                "ci_ratio_log.1": ("ratio_high", 3.3280812237689137),
                "wilson_treatment.0": ("wilson_low", 0.009612622095881738),
                "wilson_treatment.1": ("wilson_high", 0.012585071972171808),
                "wilson_control.0": ("wilson_low_c", 0.0033948684009907654),
                "wilson_control.1": ("wilson_high_c", 0.01437831546576659),
                "chi2_nocorr.0": ("chi_square", 1.4227733596920822),
                "chi2_nocorr.1": ("chi_square_p", 0.23294746056618748),
            }
        ],
    ),
    Vector(
        "srm.0",
        "sample_ratio",
        _arms([21306, 21307, 21387], [1, 1, 1]),
        [
            {
                "chi2": ("chi_square", 0.20253125000000002),
                "df": ("df", 2),
                "p": ("p_value", 0.9036929575604196),
                "srm_flag_0_001": ("is_refused", False),
            }
        ],
    ),
    Vector(
        "srm.1",
        "sample_ratio",
        _arms([4350, 12650], [25, 75]),
        [
            {
                "chi2": ("chi_square", 3.1372549019607843),
                "df": ("df", 1),
                "p": ("p_value", 0.07652250047505939),
                "srm_flag_0_001": ("is_refused", False),
            }
        ],
    ),
    Vector(
        "srm.2",
        "sample_ratio",
        _arms([1000, 19000], [5, 95]),
        [
            {
                "chi2": ("chi_square", 0.0),
                "df": ("df", 1),
                "p": ("p_value", 1.0),
                "srm_flag_0_001": ("is_refused", False),
            }
        ],
    ),
    Vector(
        "srm.3",
        "sample_ratio",
        _arms([940, 19060], [5, 95]),
        [
            {
                "chi2": ("chi_square", 3.7894736842105265),
                "df": ("df", 1),
                "p": ("p_value", 0.05157586362087707),
                "srm_flag_0_001": ("is_refused", False),
            }
        ],
    ),
    Vector(
        "srm.4",
        "sample_ratio",
        _arms([821588, 815482], [1, 1]),
        [
            {
                "chi2": ("chi_square", 22.77436884189436),
                "df": ("df", 1),
                "p": ("p_value", 1.8217928726191858e-06),
                "srm_flag_0_001": ("is_refused", True),
            }
        ],
    ),
    Vector(
        "srm.5",
        "sample_ratio",
        _arms([166080, 171180, 166300], [1, 1, 1]),
        [
            {
                "chi2": ("chi_square", 99.04043212328224),
                "df": ("df", 2),
                "p": ("p_value", 3.116329865438442e-22),
                "srm_flag_0_001": ("is_refused", True),
            }
        ],
    ),
    Vector(
        "srm_sequential_multinomial_dirichlet_k100.0",
        "sample_ratio",
        _arms([510, 490], [0.5, 0.5]),
        [
            {
                "log_bf10": ("log_factor", -1.0192267045763401),
                "p_always_valid": ("sequential_p", 1.0),
            }
        ],
    ),
    Vector(
        "srm_sequential_multinomial_dirichlet_k100.1",
        "sample_ratio",
        _arms([940, 19060], [0.05, 0.95]),
        [
            {
                "log_bf10": ("log_factor", -0.7170842469781746),
                "p_always_valid": ("sequential_p", 1.0),
            }
        ],
    ),
    Vector(
        "srm_sequential_multinomial_dirichlet_k100.2",
        "sample_ratio",
        _arms([700, 19300], [0.05, 0.95]),
        [
            {
                "log_bf10": ("log_factor", 49.89141026255811),
                "p_always_valid": ("sequential_p", 2.1499869735578065e-22),
            }
        ],
    ),
    Vector(
        "srm_sequential_multinomial_dirichlet_k100.3",
        "sample_ratio",
        _arms([21306, 21307, 21387], [1, 1, 1]),
        [{"log_bf10": ("log_factor", -6.368617718675523), "p_always_valid": ("sequential_p", 1.0)}],
    ),
    Vector(
        "sequential_womens_vs_control_spend_absolute",
        "usual_inference",
        [as_normal(0.4244122159365967, 0.13033285852919116)],
        [
            {
                "fixed_normal_ci.0": ("ci_low", 0.16896450721722805),
                "fixed_normal_ci.1": ("ci_high", 0.6798599246559653),
            }
        ],
    ),
    Vector(
        "sequential_womens_vs_control_spend_absolute",
        "always_valid",
        [LOOK | {"planned": 5000}],
        [
            {
                "growthbook_Nstar_5000.rho": ("rho", 0.03984006677137368),
                "growthbook_Nstar_5000.halfwidth": ("half_width", 0.41976468073897033),
                "growthbook_Nstar_5000.ci.0": ("ci_low", 0.004647535197626396),
                "growthbook_Nstar_5000.ci.1": ("ci_high", 0.8441768966755671),
                "growthbook_Nstar_5000.p_always_valid": ("p_value", 0.04462165849914281),
                "growthbook_Nstar_5000.ratio_to_fixed": ("times_as_wide", 1.64325091363461),
            }
        ],
    ),
    Vector(
        "sequential_womens_vs_control_spend_absolute",
        "always_valid",
        [LOOK | {"planned": 42000}],
        [
            {
                "growthbook_Nstar_42000.rho": ("rho", 0.013746128980412359),
                "growthbook_Nstar_42000.halfwidth": ("half_width", 0.39557922778225557),
                "growthbook_Nstar_42000.ci.0": ("ci_low", 0.028832988154341155),
                "growthbook_Nstar_42000.ci.1": ("ci_high", 0.8199914437188522),
                "growthbook_Nstar_42000.p_always_valid": ("p_value", 0.026919545342089065),
                "growthbook_Nstar_42000.ratio_to_fixed": ("times_as_wide", 1.548572229382701),
            }
        ],
    ),
    Vector(
        "multiple_testing",
        "multiplicity",
        [{"p": p, "family": "goals"} for p in P_VALUES],
        ADJUSTED,
    ),
]
