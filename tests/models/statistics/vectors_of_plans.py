"""Published vectors of plans, compliers, totals and assignment."""

from evidence import Row
from vectors import Vector, as_normal

# What the query of plans takes; a vector sets what it is about.
PLAN = {"deviation": 1.0, "difference": 1.0, "n_c": 1.0, "n_t": 1.0, "ratio": 1.0}
PLAN |= {"rate_c": 0.1, "rate_t": 0.2}
SHARES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5]

# Canvassing in New Haven: 395 of 1,445 people assigned could be reached.
NEW_HAVEN = {"n_t": 1445, "y_t": 598, "d_t": 395, "yd_t": 215}
NEW_HAVEN |= {"n_c": 5645, "y_c": 2119, "d_c": 0, "yd_c": 0}

# Hillstrom's men's e-mail: the effects on spend and on conversions of 21,307 people.
REVENUE = as_normal(0.7698271558945368, 0.14524656024868676)
REVENUE |= {"people": 21307, "mean": 1.422616511005773, "better": "higher"}
ORDERS = as_normal(0.006805006519615695, 0.0009208727857351216)
ORDERS |= {"people": 21307, "mean": 267 / 21307, "better": "higher"}
NO_PEOPLE = {"people": None, "mean": None, "better": "higher"}

DRAWN = [
    ("global_holdout_2026q1", "1"),
    ("global_holdout_2026q1", "cust_42"),
    ("global_holdout_2026q1", "0200102"),
    ("global_holdout_2026q2", "cust_42"),
]


def _rates(rate: float, relative_effect: float, holdout_share: float) -> Row:
    """A plan to find a lift of a rate."""
    ratio = (1 - holdout_share) / holdout_share
    return PLAN | {"rate_c": rate, "rate_t": rate * (1 + relative_effect), "ratio": ratio}


VECTORS = [
    Vector(
        "power.sample_size_proportion.0",
        "power",
        [_rates(0.0057, 0.1, 0.5)],
        [
            {
                "n_control": ("people_c", 287435),
                "n_treatment": ("people_t", 287435),
                "n_total": ("people", 574870),
            }
        ],
    ),
    Vector(
        "power.sample_size_proportion.1",
        "power",
        [_rates(0.0057, 0.1, 0.05)],
        [
            {
                "n_control": ("people_c", 144837),
                "n_treatment": ("people_t", 2751901),
                "n_total": ("people", 2896738),
            }
        ],
    ),
    Vector(
        "power.sample_size_proportion.2",
        "power",
        [_rates(0.0057, 0.1, 0.1)],
        [
            {
                "n_control": ("people_c", 153640),
                "n_treatment": ("people_t", 1382753),
                "n_total": ("people", 1536393),
            }
        ],
    ),
    Vector(
        "power.sample_size_proportion.3",
        "power",
        [_rates(0.05, 0.05, 0.1)],
        [
            {
                "n_control": ("people_c", 66593),
                "n_treatment": ("people_t", 599333),
                "n_total": ("people", 665926),
            }
        ],
    ),
    Vector(
        "power.sample_size_proportion.4",
        "power",
        [_rates(0.1, 0.02, 0.5)],
        [
            {
                "n_control": ("people_c", 356332),
                "n_treatment": ("people_t", 356332),
                "n_total": ("people", 712664),
            }
        ],
    ),
    Vector(
        "power.mde_mean.0",
        "power",
        [PLAN | {"deviation": 15, "n_c": 21306, "n_t": 21306}],
        [{"mde_abs": ("detectable", 0.4071544003669285)}],
    ),
    Vector(
        "power.mde_mean.1",
        "power",
        [PLAN | {"deviation": 15, "n_c": 5000, "n_t": 95000}],
        [{"mde_abs": ("detectable", 0.6097450615200706)}],
    ),
    Vector(
        "power.mde_mean.2",
        "power",
        [PLAN | {"deviation": 15, "n_c": 5000, "n_t": 5000}],
        [{"mde_abs": ("detectable", 0.8404755654338905)}],
    ),
    Vector(
        "power.mde_mean.3",
        "power",
        [PLAN | {"deviation": 15, "n_c": 10000, "n_t": 90000}],
        [{"mde_abs": ("detectable", 0.4429695174148298)}],
    ),
    Vector(
        "power.mde_mean.4",
        "power",
        [PLAN | {"deviation": 15, "n_c": 50000, "n_t": 50000}],
        [{"mde_abs": ("detectable", 0.26578171044889787)}],
    ),
    Vector(
        "power.statsmodels_NormalIndPower_power",
        "power",
        [PLAN | {"difference": 0.03, "n_c": 10000, "n_t": 10000}],
        [{"power": ("found_on_either_side", 0.5641160254310036)}],
    ),
    Vector(
        "power.achieved_power_prop",
        "power",
        [PLAN | {"rate_c": 0.005726, "rate_t": 0.008837, "n_c": 21306, "n_t": 21387}],
        [{"power": ("found_rates", 0.9657505720319846)}],
    ),
    Vector(
        "holdout_share_se_ratio",
        "power",
        [PLAN | {"n_c": share, "n_t": 1 - share} for share in SHARES],
        [
            {"0.01": ("over_as_many", 0.7106690545187014)},
            {"0.02": ("over_as_many", 0.7142857142857143)},
            {"0.05": ("over_as_many", 0.7254762501100117)},
            {"0.1": ("over_as_many", 0.7453559924999299)},
            {"0.2": ("over_as_many", 0.7905694150420949)},
            {"0.5": ("over_as_many", 1.0)},
        ],
    ),
    Vector(
        "cace_new_haven",
        "cace",
        [NEW_HAVEN],
        [
            {
                "itt": ("effect_y", 0.038464391122989106),
                "itt_se": ("error_y", 0.014470962909059117),
                "first_stage": ("effect_d", 0.27335640138408307),
                "cace": ("effect", 0.14071150676637786),
                "se": ("standard_error", 0.05240146793868469),
                "iv2sls_robust.est": ("effect", 0.14071150676639627),
                "iv2sls_robust.se": ("standard_error", 0.05240146793868467),
            }
        ],
    ),
    Vector(
        "bayes_relative_spend_womens_vs_control",
        "totals",
        [as_normal(0.6501518638646862, 0.2556293230465503) | NO_PEOPLE],
        [{"flat.chance_to_win": ("chance", 0.9945100577519995)}],
    ),
    Vector(
        "incremental_totals_mens",
        "totals",
        [REVENUE, ORDERS],
        [
            {
                "incremental_revenue": ("total", 16402.707210644894),
                "ci.0": ("total_low", 10337.072490085593),
                "ci.1": ("total_high", 22468.341931204195),
                "share_of_treated_revenue_incremental": ("share", 0.5411346978886659),
            },
            {
                "incremental_orders": ("total", 144.99427391345162),
                "incremental_orders_ci.0": ("total_low", 106.53774914061367),
                "incremental_orders_ci.1": ("total_high", 183.45079868628955),
                "number_needed_to_message": ("people_for_one_more", 146.95063070365345),
            },
        ],
    ),
    Vector(
        "md5_bucket",
        "bucket",
        [{"salt": salt, "id": person} for salt, person in DRAWN],
        [
            {"0.bucket_10000": ("bucket", 4421)},
            {"1.bucket_10000": ("bucket", 1160)},
            {"2.bucket_10000": ("bucket", 9053)},
            {"3.bucket_10000": ("bucket", 9926)},
        ],
    ),
]
