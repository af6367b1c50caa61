"""Published vectors of means: Welch, relative lift, ratios, CUPED, capped spend and Hall."""

from evidence import CONTROL, MENS, WOMENS, WOMENS_AS_CONTROL
from vectors import Vector, as_normal, means

# Treated: 8 people, mean 12, deviation 5; control: 12 people, mean 10, deviation 3.
FEW = means((8, 96, 1327), (12, 120, 1299))
# Every 20th person of the control, as if it had been as small.
EVERY_20TH = {"n_c": 1066, "sum_y_c": 529.2, "sum_yy_c": 50309.1782, "sum_yyy_c": 5630186.266506}

ORDER_VALUE = {"n_t": 21307, "m_t": 30311.69, "mm_t": 6759024.4973, "md_t": 30311.69}
ORDER_VALUE |= {"d_t": 267, "dd_t": 267, "d_c": 122, "dd_c": 122}
ORDER_VALUE |= {"n_c": 21306, "m_c": 13908.33, "mm_c": 2870050.3621, "md_c": 13908.33}

# What people had spent before, and with it what they spent and whether they visited.
HISTORY = {"n_t": 21307, "sum_x_t": 5174105.18, "sum_xx_t": 2700687619.2752}
HISTORY |= {"n_c": 21306, "sum_x_c": 5132245.81, "sum_xx_c": 2597172414.5563}
SPEND = {"sum_y_t": 30311.69, "sum_yy_t": 6759024.4973, "sum_xy_t": 9857526.2586}
SPEND |= {"sum_y_c": 13908.33, "sum_yy_c": 2870050.3621, "sum_xy_c": 4267933.8399}
VISIT = {"sum_y_t": 3894, "sum_yy_t": 3894, "sum_xy_t": 1092584.38}
VISIT |= {"sum_y_c": 2262, "sum_yy_c": 2262, "sum_xy_c": 652531.54}

# Spend cut at 362.2.
CAPPED = means((21307, 29124.53, 5761830.4925), (21306, 13411.13, 2457117.7809))

# From GrowthBook's own tests.
GROWTHBOOK = means((3461, 2422.7, 134698.29), (3407, 1396.87, 52377.9767))

VECTORS = [
    Vector(
        "welch_mean_spend_mens_vs_control",
        "welch",
        [MENS | CONTROL],
        [
            {
                "mean_control": ("mean_c", 0.6527893551112361),
                "mean_treatment": ("mean_t", 1.422616511005773),
                "var_control": ("variance_c", 134.28637185302165),
                "var_treatment": ("variance_t", 315.21179886555484),
                "effect": ("effect", 0.7698271558945368),
                "se": ("standard_error", 0.14524656024868676),
                "df": ("degrees_of_freedom", 36671.15797736051),
                "t": ("t_statistic", 5.300140358411669),
                "p_two_sided": ("p_value", 1.163814968225482e-07),
                "ci.0": ("ci_low", 0.4851397325684076),
                "ci.1": ("ci_high", 1.0545145792206658),
            }
        ],
    ),
    Vector(
        "welch_small_n",
        "welch",
        [FEW],
        [
            {
                "effect": ("effect", 2.0),
                "se": ("standard_error", 1.9685019685029528),
                "df": ("degrees_of_freedom", 10.38262943735092),
                "t": ("t_statistic", 1.016001016001524),
                "p_two_sided": ("p_value", 0.33271997879479803),
                "ci.0": ("ci_low", -2.3642840510362593),
                "ci.1": ("ci_high", 6.364284051036259),
            }
        ],
    ),
    Vector(
        "relative_ci_spend_mens_vs_control",
        "welch",
        [MENS | CONTROL],
        [
            {
                "rel": ("relative_effect", 1.1792887703620063),
                "delta_se": ("delta_standard_error", 0.32397689741846725),
                "ci_delta.0": ("delta_low", 0.5443057195987829),
                "ci_delta.1": ("delta_high", 1.8142718211252298),
                "log_se": ("log_standard_error", 0.1486617569110177),
                "ci_log.0": ("log_low", 0.6284471336957698),
                "ci_log.1": ("log_high", 1.9164591507784379),
                "g": ("fieller_g", 0.056817231966623),
                "ci_fieller.0": ("relative_ci_low", 0.6436904379366633),
                "ci_fieller.1": ("relative_ci_high", 1.9774473610628336),
            }
        ],
    ),
    Vector(
        "relative_ci_spend_womens_vs_control",
        "welch",
        [WOMENS | CONTROL],
        [
            {
                "rel": ("relative_effect", 0.6501518638646862),
                "delta_se": ("delta_standard_error", 0.2556293230465503),
                "ci_delta.0": ("delta_low", 0.14912759730109282),
                "ci_delta.1": ("delta_high", 1.1511761304282795),
                "log_se": ("log_standard_error", 0.1549126044968138),
                "ci_log.0": ("log_low", 0.2180414462370579),
                "ci_log.1": ("log_high", 1.2355570758518688),
                "g": ("fieller_g", 0.056817231966623),
                "ci_fieller.0": ("relative_ci_low", 0.22417278686351616),
                "ci_fieller.1": ("relative_ci_high", 1.2749408945821377),
            }
        ],
    ),
    Vector(
        "relative_ci_spend_mens_vs_womens",
        "welch",
        [MENS | WOMENS_AS_CONTROL],
        [
            {
                "rel": ("relative_effect", 0.320659521153448),
                "delta_se": ("delta_standard_error", 0.16972999106814804),
                "ci_delta.0": ("delta_low", -0.012005148436427249),
                "ci_delta.1": ("delta_high", 0.6533241907433232),
                "log_se": ("log_standard_error", 0.1285191136318829),
                "ci_log.0": ("log_low", 0.026585672737995836),
                "ci_log.1": ("log_high", 0.6989732246715199),
                "g": ("fieller_g", 0.03536977041126874),
                "ci_fieller.0": ("relative_ci_low", 0.02693105869042456),
                "ci_fieller.1": ("relative_ci_high", 0.7112363357038178),
            }
        ],
    ),
    Vector(
        "relative_ci_spend_mens_vs_control",
        "normal_quantile",
        [{"p": 0.975}],
        [{"crit": ("quantile", 1.959963984540054)}],
    ),
    Vector(
        "relative_ci_spend_womens_vs_control",
        "normal_quantile",
        [{"p": 0.975}],
        [{"crit": ("quantile", 1.959963984540054)}],
    ),
    Vector(
        "relative_ci_spend_mens_vs_womens",
        "normal_quantile",
        [{"p": 0.975}],
        [{"crit": ("quantile", 1.959963984540054)}],
    ),
    Vector(
        "ratio_aov_mens_vs_control",
        "ratio",
        [ORDER_VALUE],
        [
            {
                "ratio_control": ("ratio_c", 114.00270491803276),
                "ratio_treatment": ("ratio_t", 113.52692883895132),
                "unit_var_control": ("unit_c", 1838756.7712882971),
                "unit_var_treatment": ("unit_t", 991686.685625152),
                "effect": ("effect", -0.4757760790814416),
                "se": ("standard_error", 11.525843270138976),
                "z": ("z", -0.04127906895229756),
                "p_normal": ("p_value", 0.9670734194018822),
                "ci_normal.0": ("ci_low", -23.066013780007196),
                "ci_normal.1": ("ci_high", 22.114461621844313),
            }
        ],
    ),
    Vector(
        "cuped_spend_history_mens_vs_control",
        "cuped",
        [HISTORY | SPEND],
        [
            {
                "theta": ("theta", 0.0012228965198244435),
                "corr_pooled": ("correlation", 0.020922546956069904),
                "adj_mean_treatment": ("adjusted_t", 1.421422210799727),
                "adj_mean_control": ("adjusted_c", 0.6539837113719243),
                "adj_var_treatment": ("variance_t", 315.02655782188685),
                "adj_var_control": ("variance_c", 134.27655236131),
                "effect": ("effect", 0.7674384994278026),
                "se": ("standard_error", 0.14521504219411457),
                "df": ("degrees_of_freedom", 36676.63648675951),
                "t": ("t_statistic", 5.284841624064936),
                "p": ("p_value", 1.2653144672519346e-07),
                "ci.0": ("ci_low", 0.4828128537957849),
                "ci.1": ("ci_high", 1.0520641450598203),
            }
        ],
    ),
    Vector(
        "cuped_visit_history_mens_vs_control",
        "cuped",
        [HISTORY | VISIT],
        [
            {
                "theta": ("theta", 9.134195036168928e-05),
                "corr_pooled": ("correlation", 0.0666624689341016),
                "adj_mean_treatment": ("adjusted_t", 0.1826676344723526),
                "adj_mean_control": ("adjusted_c", 0.10625648701293454),
                "adj_var_treatment": ("variance_t", 0.14866908208434304),
                "adj_var_control": ("variance_c", 0.09451008141897492),
                "effect": ("effect", 0.07641114745941806),
                "se": ("standard_error", 0.003378360480422942),
                "df": ("degrees_of_freedom", 40598.128505541405),
                "t": ("t_statistic", 22.61781947255434),
                "p": ("p_value", 1.4398592970282286e-112),
                "ci.0": ("ci_low", 0.06978948517740674),
                "ci.1": ("ci_high", 0.08303280974142938),
            }
        ],
    ),
    Vector(
        "winsorize_spend_mens_vs_control",
        "welch",
        [CAPPED],
        [
            {
                "mean_control": ("mean_c", 0.6294532056697645),
                "mean_treatment": ("mean_t", 1.3668996104566573),
                "effect": ("effect", 0.7374464047868928),
                "se": ("standard_error", 0.13416014793730938),
                "p": ("p_value", 3.893966613308026e-08),
                "ci.0": ("ci_low", 0.47448867894373287),
                "ci.1": ("ci_high", 1.0004041306300528),
            }
        ],
    ),
    Vector(
        "growthbook_own_test",
        "welch",
        [GROWTHBOOK],
        [
            {
                "absolute.effect": ("effect", 0.29),
                "absolute.ci.0": ("ci_low", 0.04538),
                "absolute.ci.1": ("ci_high", 0.53462),
                "absolute.se": ("standard_error", 0.12478),
                "absolute.p": ("p_value", 0.02016),
                "relative_delta.effect": ("relative_effect", 0.70732),
                "relative_delta.se": ("delta_standard_error", 0.37879),
            }
        ],
        decimals=5,
    ),
    Vector(
        "hall_skew_corrected_spend_mens_vs_control",
        "hall",
        [MENS | CONTROL],
        [
            {
                "mu3_treatment": ("third_t", 100632.22676867923),
                "mu3_control": ("third_c", 41025.80013330358),
                "effect": ("effect", 0.7698271558945368),
                "se": ("standard_error", 0.14524656024868673),
                "t": ("t_statistic", 5.30014035841167),
                "kappa": ("kappa", 0.0428452662419527),
                "g": ("statistic", 5.718599873226706),
                "p_two_sided": ("p_value", 1.0740538049197877e-08),
                "ci.0": ("ci_low", 0.4937486047184146),
                "ci.1": ("ci_high", 1.0639675233750574),
            }
        ],
    ),
    Vector(
        "hall_skew_corrected_spend_mens_vs_control",
        "usual_inference",
        [as_normal(0.7698271558945368, 0.14524656024868673)],
        [
            {
                "ci_uncorrected.0": ("ci_low", 0.4851491289287837),
                "ci_uncorrected.1": ("ci_high", 1.0545051828602898),
            }
        ],
    ),
    Vector(
        "hall_skew_corrected_spend_womens_vs_control",
        "hall",
        [WOMENS | CONTROL],
        [
            {
                "mu3_treatment": ("third_t", 68131.42531332925),
                "mu3_control": ("third_c", 41025.80013330358),
                "effect": ("effect", 0.4244122159365967),
                "se": ("standard_error", 0.13033285852919116),
                "t": ("t_statistic", 3.2563715760253924),
                "kappa": ("kappa", 0.026458264219841713),
                "g": ("statistic", 3.355197325820963),
                "p_two_sided": ("p_value", 0.0007930839115783255),
                "ci.0": ("ci_low", 0.17381283974377565),
                "ci.1": ("ci_high", 0.6850028374751701),
            }
        ],
    ),
    Vector(
        "hall_skew_corrected_spend_womens_vs_control",
        "usual_inference",
        [as_normal(0.4244122159365967, 0.13033285852919116)],
        [
            {
                "ci_uncorrected.0": ("ci_low", 0.16896450721722805),
                "ci_uncorrected.1": ("ci_high", 0.6798599246559653),
            }
        ],
    ),
    Vector(
        "hall_skew_corrected_unequal_womens_vs_every20th_control",
        "hall",
        [WOMENS | EVERY_20TH],
        [
            {
                "mu3_treatment": ("third_t", 68131.42531332925),
                "mu3_control": ("third_c", 5211.558494698956),
                "effect": ("effect", 0.5807662990028046),
                "se": ("standard_error", 0.23402231306447918),
                "t": ("t_statistic", 2.4816706210522264),
                "kappa": ("kappa", -0.34621196850150976),
                "g": ("statistic", 1.7810817992850616),
                "p_two_sided": ("p_value", 0.0748990886197457),
                "ci.0": ("ci_low", -0.08737659041020107),
                "ci.1": ("ci_high", 0.9533068575581254),
            }
        ],
    ),
    Vector(
        "hall_skew_corrected_unequal_womens_vs_every20th_control",
        "usual_inference",
        [as_normal(0.5807662990028046, 0.23402231306447918)],
        [
            {
                "ci_uncorrected.0": ("ci_low", 0.12209099381766808),
                "ci_uncorrected.1": ("ci_high", 1.039441604187941),
            }
        ],
    ),
]
