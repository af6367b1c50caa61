"""Published vectors of segments and of the time to the next order."""

from collections.abc import Sequence

from evidence import Row
from vectors import Vector, means

# Hillstrom's women's e-mail against none, by who was new within the year (the second row).
VISIT_BY_NEWBIE = [
    means((10624, 1847, 1847), (10611, 1419, 1419)),
    means((10763, 1391, 1391), (10695, 843, 843)),
]
CONVERSION_BY_NEWBIE = [
    means((10624, 92, 92), (10611, 82, 82)),
    means((10763, 97, 97), (10695, 40, 40)),
]
SPEND_BY_NEWBIE = [
    means((10624, 11147.84, 2365478.5782), (10611, 9925.0, 2105772.2188)),
    means((10763, 11890.27, 2545967.9981), (10695, 3983.33, 764278.1433)),
]
# By what they had spent before.
VISIT_BY_HISTORY = [
    means((7634, 1005, 1005), (7612, 646, 646)),
    means((4727, 631, 631), (4836, 440, 440)),
    means((4155, 675, 675), (4044, 511, 511)),
    means((2188, 417, 417), (2124, 319, 319)),
    means((1662, 292, 292), (1652, 181, 181)),
    means((593, 124, 124), (622, 96, 96)),
    means((428, 94, 94), (416, 69, 69)),
]


def curve(arm: str, times: Sequence[int], events: Sequence[int]) -> list[Row]:
    """A row each time that anybody left an arm, up to 30, an event or not."""
    return [
        {
            "arm": arm,
            "duration": time,
            "horizon": 30,
            "exits": float(times.count(time)),
            "events": float(sum(e for t, e in zip(times, events, strict=True) if t == time)),
        }
        for time in sorted(set(times))
    ]


# Durations and whether they ended in an order.
CONTROL_CURVE = curve("c", [5, 8, 12, 12, 15, 20, 21, 30, 30, 30], [1, 0, 1, 1, 0, 1, 1, 0, 0, 0])
TREATED_CURVE = curve("t", [7, 9, 10, 18, 22, 25, 28, *[30] * 5], [1, 1, 0, 1, 0, 1, 0, *[0] * 5])


# The document's curves begin at 0, when nobody has left.
START = {"duration": 0, "horizon": 30, "exits": 0.0, "events": 0.0}


def _steps(
    arm: str, steps: Sequence[tuple[int, int, int, int, float]]
) -> list[dict[str, tuple[str, float]]]:
    """What the document says of each time: at risk, events, censored, and the curve."""
    columns = ("at_risk", "events", "censored", "survival")
    return [
        {
            f"km_{arm}.{time}.{number}": answer
            for number, answer in enumerate(zip(columns, values, strict=True))
        }
        for time, *values in steps
    ]


CONTROL_STEPS = _steps(
    "control",
    [
        (0, 10, 0, 0, 1.0),
        (5, 10, 1, 0, 0.8999999999999999),
        (8, 9, 0, 1, 0.8999999999999999),
        (12, 8, 2, 0, 0.675),
        (15, 6, 0, 1, 0.675),
        (20, 5, 1, 0, 0.54),
        (21, 4, 1, 0, 0.40500000000000014),
        (30, 3, 0, 3, 0.40500000000000014),
    ],
)
TREATED_STEPS = _steps(
    "treatment",
    [
        (0, 12, 0, 0, 1.0),
        (7, 12, 1, 0, 0.9166666666666667),
        (9, 11, 1, 0, 0.8333333333333335),
        (10, 10, 0, 1, 0.8333333333333335),
        (18, 9, 1, 0, 0.7407407407407406),
        (22, 8, 0, 1, 0.7407407407407406),
        (25, 7, 1, 0, 0.6349206349206348),
        (28, 6, 0, 1, 0.6349206349206348),
        (30, 5, 0, 5, 0.6349206349206348),
    ],
)
for answer, (time, low, high) in zip(
    CONTROL_STEPS[1:],
    [
        (5, 0.47300927136205084, 0.985281393367343),
        (8, 0.47300927136205084, 0.985281393367343),
        (12, 0.29058535740313257, 0.8824967337087402),
        (15, 0.29058535740313257, 0.8824967337087402),
        (20, 0.18116533840412335, 0.8007125173338694),
        (21, 0.09991614638674072, 0.7013980595762093),
        (30, 0.09991614638674072, 0.7013980595762093),
    ],
    strict=True,
):
    answer[f"km_control_ci.{time}.0"] = ("ci_low", low)
    answer[f"km_control_ci.{time}.1"] = ("ci_high", high)
CONTROL_STEPS[0] |= {
    "rmst_control": ("restricted_mean", 20.885),
    "rmst_control_greenwood": ("restricted_mean", 20.885),
    "rmst_var_greenwood_control": ("restricted_mean_variance", 8.614591875),
}
TREATED_STEPS[0] |= {
    "rmst_treatment": ("restricted_mean", 24.693121693121693),
    "rmst_treatment_greenwood": ("restricted_mean", 24.69312169312169),
    "rmst_var_greenwood_treatment": ("restricted_mean_variance", 5.8688220503434225),
}

VECTORS = [
    Vector(
        "heterogeneity_womens_vs_control_by_newbie",
        "heterogeneity",
        VISIT_BY_NEWBIE,
        [
            {
                "visit.newbie0.0": ("effect", 0.040122507630181464),
                "visit.newbie0.1": ("standard_error", 0.004943575659158425),
                "visit.cochran_Q": ("cochran_q", 2.5423803326280483),
                "visit.df": ("df", 1),
                "visit.p_interaction": ("p_value", 0.11082759392445397),
                "visit.inverse_variance_pooled": ("pooled_effect", 0.04615796721216703),
                "visit.post_stratified_effect": ("stratified_effect", 0.04529673027583986),
                "visit.post_stratified_se_fixed_weights": (
                    "stratified_error",
                    0.0032253471753928985,
                ),
            },
            {
                "visit.newbie1.0": ("effect", 0.05041718035881851),
                "visit.newbie1.1": ("standard_error", 0.004152892596853338),
            },
        ],
    ),
    Vector(
        "heterogeneity_womens_vs_control_by_newbie",
        "heterogeneity",
        CONVERSION_BY_NEWBIE,
        [
            {
                "conversion.newbie0.0": ("effect", 0.0009318089434356032),
                "conversion.newbie0.1": ("standard_error", 0.001237272772626484),
                "conversion.cochran_Q": ("cochran_q", 6.95413941277196),
                "conversion.df": ("df", 1),
                "conversion.p_interaction": ("p_value", 0.008362551557036328),
                "conversion.inverse_variance_pooled": ("pooled_effect", 0.0033844628525625674),
                "conversion.post_stratified_effect": ("stratified_effect", 0.0031133862267119098),
                "conversion.post_stratified_se_fixed_weights": (
                    "stratified_error",
                    0.0008224260916778353,
                ),
            },
            {
                "conversion.newbie1.0": ("effect", 0.00527229169834824),
                "conversion.newbie1.1": ("standard_error", 0.001085497006067839),
            },
        ],
    ),
    Vector(
        "heterogeneity_womens_vs_control_by_newbie",
        "heterogeneity",
        SPEND_BY_NEWBIE,
        [
            {
                "spend.newbie0.0": ("effect", 0.11395712053756446),
                "spend.newbie0.1": ("standard_error", 0.1986901016040254),
                "spend.cochran_Q": ("cochran_q", 5.621409226500557),
                "spend.df": ("df", 1),
                "spend.p_interaction": ("p_value", 0.017742377195475688),
                "spend.inverse_variance_pooled": ("pooled_effect", 0.47285994296328265),
                "spend.post_stratified_effect": ("stratified_effect", 0.42473733337560327),
                "spend.post_stratified_se_fixed_weights": ("stratified_error", 0.1302893385937069),
            },
            {
                "spend.newbie1.0": ("effect", 0.7322877956561398),
                "spend.newbie1.1": ("standard_error", 0.1689258432431204),
            },
        ],
    ),
    Vector(
        "heterogeneity_womens_visit_by_history_segment",
        "heterogeneity",
        VISIT_BY_HISTORY,
        [
            {
                "segments.0.effect": ("effect", 0.04678188996291309),
                "segments.0.se": ("standard_error", 0.0050180465355746185),
                "cochran_Q": ("cochran_q", 5.109123416197999),
                "df": ("df", 6),
                "p": ("p_value", 0.5298954526589912),
            },
            {
                "segments.1.effect": ("effect", 0.04250418595601041),
                "segments.1.se": ("standard_error", 0.006448318581663976),
            },
            {
                "segments.2.effect": ("effect", 0.036094834081422056),
                "segments.2.se": ("standard_error", 0.007749808529940187),
            },
            {
                "segments.3.effect": ("effect", 0.040396685223630324),
                "segments.3.se": ("standard_error", 0.011430427014512495),
            },
            {
                "segments.4.effect": ("effect", 0.066127772775879),
                "segments.4.se": ("standard_error", 0.01209472578397416),
            },
            {
                "segments.5.effect": ("effect", 0.05476540344750924),
                "segments.5.se": ("standard_error", 0.022125465241203457),
            },
            {
                "segments.6.effect": ("effect", 0.05376078360891445),
                "segments.6.se": ("standard_error", 0.027106571381416554),
            },
        ],
    ),
    Vector("km_toy", "survival", [START | {"arm": "c"}, *CONTROL_CURVE], CONTROL_STEPS),
    Vector("km_toy", "survival", [START | {"arm": "t"}, *TREATED_CURVE], TREATED_STEPS),
    Vector(
        "km_toy",
        "restricted_means",
        CONTROL_CURVE + TREATED_CURVE,
        [
            {
                "rmst_diff": ("effect", 3.808121693121688),
                "rmst_diff_se": ("standard_error", 3.8057080714820235),
            }
        ],
    ),
]
