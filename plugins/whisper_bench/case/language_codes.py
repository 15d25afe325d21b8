"""Whisper's languages; nothing is imported, since every pytest start reads this."""

CODES = (
    "af", "am", "ar", "as", "az", "ba", "be", "bg", "bn", "bo", "br", "bs", "ca", "cs", "cy", "da",
    "de", "el", "en", "es", "et", "eu", "fa", "fi", "fo", "fr", "gl", "gu", "ha", "haw", "he", "hi",
    "hr", "ht", "hu", "hy", "id", "is", "it", "ja", "jw", "ka", "kk", "km", "kn", "ko", "la", "lb",
    "ln", "lo", "lt", "lv", "mg", "mi", "mk", "ml", "mn", "mr", "ms", "mt", "my", "ne", "nl", "nn",
    "no", "oc", "pa", "pl", "ps", "pt", "ro", "ru", "sa", "sd", "si", "sk", "sl", "sn", "so", "sq",
    "sr", "su", "sv", "sw", "ta", "te", "tg", "th", "tk", "tl", "tr", "tt", "uk", "ur", "uz", "vi",
    "yi", "yo", "zh", "yue",
)  # fmt: skip
"""As faster_whisper.tokenizer._LANGUAGE_CODES, version 1.2.1; a test holds them equal."""

WITHOUT_SPACES = frozenset({"zh", "yue", "ja", "th", "lo", "km", "my"})
"""Languages that do not put spaces between words, so that characters are counted in their place.

"Robust Speech Recognition via Large-Scale Weak Supervision" (Radford et al., 2022), appendix C, has
Chinese, Japanese, Thai, Lao and Burmese; Khmer is written the same way, Cantonese is Chinese.
"""

TURKIC_I = frozenset({"tr", "az"})
"""Languages in which I is the capital of dotless i: Unicode's SpecialCasing.txt."""
