from .engine import Optimisation as Optimisation
from .engine import optimise as optimise
from .film.writing import save_film as save_film
from .language.config import ExperimentConfig as ExperimentConfig
from .results import save_result as save_result
from .run_state import RunState as RunState
from .step import Step as Step
