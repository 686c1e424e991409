from .caption_set import CaptionSet as CaptionSet
from .metadata import embedded_prompt as embedded_prompt
from .read import Prompts as Prompts
from .read import load_prompts as load_prompts
from .records import Prompt as Prompt
from .records import Skipped as Skipped
