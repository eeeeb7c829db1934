"""The hosted form: a page without scripts, for phones first, in the survey's language.

Everything that came from people is escaped; the only style is the page's own, allowed by its hash.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape

from tilth.collect.surveys.answers import FieldError
from tilth.collect.surveys.model import Survey, SurveyQuestion

__all__ = ["FORM_CSP", "form_page", "said_page"]

_STYLE = """
:root{color-scheme:light dark;--ink:#1d2521;--soft:#59635d;--paper:#f5f6f3;--card:#fff;--line:#c9cfc9;
--accent:#1f6b4f;--on:#fff;--bad:#b3261e}
@media (prefers-color-scheme:dark){:root{--ink:#e8ece8;--soft:#a9b3ac;--paper:#141816;--card:#1d2320;--line:#47504a;
--accent:#7cc9a6;--on:#0d1411;--bad:#ffb4ab}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:17px/1.6 system-ui,-apple-system,"PingFang SC",
"Noto Sans SC","Microsoft YaHei",sans-serif;overflow-wrap:anywhere}
main{max-width:40rem;margin:0 auto;padding:1.25rem 1rem 3rem}
h1{font-size:1.45rem;line-height:1.3;margin:.5rem 0}
.intro,.about,.ends{color:var(--soft)}
.intro,.said{white-space:pre-line}
fieldset,.field{border:1px solid var(--line);border-radius:12px;background:var(--card);margin:1rem 0 0;
padding:1rem;min-width:0}
legend,.field>label{font-weight:600;padding:0;float:left;width:100%;margin-bottom:.4rem;display:block}
legend+*,.field>label+*{clear:both}
.must{color:var(--soft);font-weight:400;font-size:.85rem;margin-inline-start:.4rem;white-space:nowrap}
.about,.ends,.bound{font-size:.9rem;margin:0 0 .5rem}
.ends{display:flex;justify-content:space-between;gap:1rem;margin:.4rem 0 0}
.choice{display:flex;gap:.7rem;align-items:center;min-height:48px;padding:.5rem .75rem;border:1px solid var(--line);
border-radius:10px;margin-top:.5rem;cursor:pointer}
.steps{display:grid;grid-template-columns:repeat(auto-fit,minmax(44px,1fr));gap:.4rem}
.steps .choice{flex-direction:column;gap:.1rem;justify-content:center;margin:0;padding:.4rem .2rem}
input[type=radio],input[type=checkbox]{width:1.2rem;height:1.2rem;accent-color:var(--accent);flex:none;margin:0}
.choice:has(:checked){border-color:var(--accent);box-shadow:inset 0 0 0 1px var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
textarea{width:100%;min-height:7rem;font:inherit;color:inherit;background:var(--card);border:1px solid var(--soft);
border-radius:10px;padding:.6rem .75rem}
button{font:inherit;font-weight:600;width:100%;min-height:52px;margin-top:1.5rem;border:0;border-radius:12px;
background:var(--accent);color:var(--on);cursor:pointer}
.wrong{border-color:var(--bad)}
.error,.errors{color:var(--bad)}
.error{font-weight:600;margin:.2rem 0 .5rem}
.errors{border:2px solid var(--bad);border-radius:12px;padding:.75rem 1rem;margin:1rem 0 0;background:var(--card)}
.errors h2{font-size:1.05rem;margin:0}.errors ul{margin:.4rem 0 0;padding-inline-start:1.2rem}.errors a{color:inherit}
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
FORM_CSP = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_WORDS: dict[str, dict[str, str]] = {
    "zh-CN": {
        "submit": "提交",
        "must": "必答",
        "preview": "预览",
        "errors": "还差一点，请检查下面的问题：",
        "required": "请回答这个问题",
        "choice": "请从给出的选项中选择",
        "too_few": "请至少选择 {bound} 项",
        "too_many": "最多选择 {bound} 项",
        "too_long": "最多 {bound} 个字，请缩短一些",
        "between": "请选择 {low} 到 {high} 项",
        "most": "最多选择 {high} 项",
        "least": "至少选择 {low} 项",
        "nps_low": "完全不可能",
        "nps_high": "非常可能",
        "thanks": "谢谢您的回答",
        "thanks.about": "您的回答已经保存，可以关闭本页了。",
        "answered": "您已经回答过了",
        "answered.about": "每个链接的回答只收一次。谢谢您！",
        "expired": "链接已过期",
        "expired.about": "这个问卷链接超过了有效期。请联系发给您链接的商家，获取新的链接。",
        "forged": "链接无效",
        "forged.about": "这个链接不完整，或者被改动过。请从原消息里重新打开它。",
        "missing": "需要个人链接",
        "missing.about": "这份问卷只能通过发给您本人的链接回答。",
        "gone": "链接无效",
        "gone.about": "这个链接对应的用户已不存在。",
        "closed": "问卷未开放",
        "closed.about": "这份问卷现在不接受回答。谢谢您的关注。",
        "not_found": "没有这份问卷",
        "not_found.about": "请检查链接是否完整。",
        "too_large": "内容太长",
        "too_large.about": "提交的内容超过了这份问卷的上限。请返回并缩短文字。",
        "refused": "没有保存您的回答",
        "refused.about": "按照隐私设置，您的回答没有被保存。",
        "busy": "请稍后再试",
        "busy.about": "暂时无法保存您的回答。请返回并再次提交，您填写的内容还在。",
    },
    "en": {
        "submit": "Send",
        "must": "required",
        "preview": "Preview",
        "errors": "Almost there. Please look at these questions:",
        "required": "Please answer this question",
        "choice": "Please choose one of the answers given",
        "too_few": "Please choose at least {bound}",
        "too_many": "Please choose at most {bound}",
        "too_long": "At most {bound} characters, please shorten it",
        "between": "Choose {low} to {high}",
        "most": "Choose up to {high}",
        "least": "Choose at least {low}",
        "nps_low": "Not at all likely",
        "nps_high": "Very likely",
        "thanks": "Thank you for your answers",
        "thanks.about": "They are saved; you can close this page.",
        "answered": "You have answered already",
        "answered.about": "Each link is answered once. Thank you!",
        "expired": "This link has expired",
        "expired.about": "Its time is over. Please ask whoever sent it for a new one.",
        "forged": "This link does not work",
        "forged.about": "It is incomplete or was changed. Please open it again from the message it came in.",
        "missing": "A personal link is needed",
        "missing.about": "This survey can only be answered through the link that was sent to you.",
        "gone": "This link does not work",
        "gone.about": "The person it was made for is no longer known here.",
        "closed": "This survey is not open",
        "closed.about": "It takes no answers now. Thank you for your interest.",
        "not_found": "There is no such survey",
        "not_found.about": "Please check that the link is complete.",
        "too_large": "That is too much text",
        "too_large.about": "What was sent is over the limit of this survey. Please go back and shorten it.",
        "refused": "Your answers were not kept",
        "refused.about": "The privacy settings do not allow it.",
        "busy": "Please try again in a moment",
        "busy.about": "Your answers could not be saved just now. Go back and send them again; they are still there.",
    },
}


def said_page(what: str, language: str, survey: Survey | None = None) -> str:
    """A page that only says something: thanks, or why the form cannot be answered."""
    words = _WORDS[language]
    text = survey.thanks if what == "thanks" and survey is not None and survey.thanks else words[f"{what}.about"]
    return _page(language, words[what], f'<h1>{escape(words[what])}</h1><p class="said">{escape(text)}</p>')


def form_page(
    survey: Survey,
    *,
    given: Mapping[str, Sequence[str]] | None = None,
    errors: Sequence[FieldError] = (),
    once: str = "",
    preview: bool = False,
) -> str:
    """The form, with what was filled in before and what was wrong with it. preview: cannot be sent."""
    words = _WORDS[survey.language]
    wrong = {one.question: words[one.wrong].format(bound=one.bound) for one in errors}
    parts = [f"<h1>{escape(survey.title)}</h1>"]
    if survey.intro:
        parts.append(f'<p class="intro">{escape(survey.intro)}</p>')
    if errors:
        listed = "".join(
            f'<li><a href="#q-{question.key}">{escape(question.title)}</a> — {escape(wrong[question.key])}</li>'
            for question in survey.questions
            if question.key in wrong
        )
        parts.append(f'<div class="errors" role="alert"><h2>{words["errors"]}</h2><ul>{listed}</ul></div>')
    parts.append('<form method="post" accept-charset="utf-8" novalidate>')
    if once:
        parts.append(f'<input type="hidden" name="once" value="{escape(once)}">')
    filled = given or {}
    parts += [_question(one, filled.get(f"q_{one.key}", ()), wrong.get(one.key), words) for one in survey.questions]
    kind = "button" if preview else "submit"
    parts.append(f'<button type="{kind}">{words["submit"]}</button></form>')
    return _page(survey.language, survey.title, "".join(parts))


def _page(language: str, title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<style>{_STYLE}</style></head><body><main>{body}</main></body></html>"
    )


def _question(question: SurveyQuestion, given: Sequence[str], wrong: str | None, words: Mapping[str, str]) -> str:
    name, key = f"q_{question.key}", f"q-{question.key}"
    described = [f"{key}-about"] if question.about else []
    described += [f"{key}-bound"] if question.kind == "multiple" and _bound(question, words) else []
    described += [f"{key}-error"] if wrong else []
    told = f' aria-describedby="{" ".join(described)}"' if described else ""
    must = f'<span class="must">{words["must"]}</span>' if question.required else ""
    title = f"{escape(question.title)}{must}"
    notes = f'<p class="about" id="{key}-about">{escape(question.about)}</p>' if question.about else ""
    bound = _bound(question, words) if question.kind == "multiple" else ""
    if bound:
        notes += f'<p class="bound about" id="{key}-bound">{bound}</p>'
    if wrong:
        notes += f'<p class="error" id="{key}-error">{escape(wrong)}</p>'
    mark = " wrong" if wrong else ""
    if question.kind == "text":
        invalid = ' aria-invalid="true"' if wrong else ""
        return (
            f'<div class="field{mark}"><label for="{key}">{title}</label>{notes}'
            f'<textarea id="{key}" name="{name}" maxlength="{question.max_length}"{told}{invalid}'
            f"{' required' if question.required else ''}>\n{escape(given[0] if given else '')}</textarea></div>"
        )
    kind = "checkbox" if question.kind == "multiple" else "radio"
    choices = [(str(n), str(n)) for n in question.numbers] or [(o.key, o.label) for o in question.options]
    inputs = "".join(
        f'<label class="choice"><input type="{kind}" name="{name}" value="{escape(value)}"'
        f"{' checked' if value in given else ''}"
        f"{' required' if question.required and kind == 'radio' else ''}><span>{escape(label)}</span></label>"
        for value, label in choices
    )
    if question.numbers:
        low, high = (
            (question.low_label or words["nps_low"], question.high_label or words["nps_high"])
            if question.kind == "nps"
            else (question.low_label, question.high_label)
        )
        inputs = f'<div class="steps">{inputs}</div>'
        if low or high:
            inputs += f'<div class="ends"><span>{escape(low)}</span><span>{escape(high)}</span></div>'
    return (
        f'<fieldset id="{key}" tabindex="-1" class="{mark.strip()}"{told}><legend>{title}</legend>'
        f"{notes}{inputs}</fieldset>"
    )


def _bound(question: SurveyQuestion, words: Mapping[str, str]) -> str:
    low, high = question.min_choices, question.max_choices
    if low and high:
        return words["between"].format(low=low, high=high)
    if high:
        return words["most"].format(high=high)
    return words["least"].format(low=low) if low else ""
