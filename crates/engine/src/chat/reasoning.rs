//! Reasoning blocks: what begins and ends a model's thoughts, as its chat template shows it.
//!
//! Metadata has no key for this, so it is told from the template's source: a template that writes
//! blocks, or takes them out of earlier turns, has their marks in it.

/// What begins and ends a reasoning block. Both are control tokens, or plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reasoning {
    /// What begins one.
    pub open: &'static str,
    /// What ends one.
    pub close: &'static str,
    /// What else is around an answer, and no part of it.
    pub around: &'static [&'static str],
}

/// A form of reasoning blocks, and what templates that have it contain: one of these texts.
struct Form {
    open: &'static str,
    close: &'static str,
    shown_by: &'static [&'static str],
    around: &'static [&'static str],
}

/// A form whose answers stand between nothing.
const BARE: Form = Form { open: "", close: "", shown_by: &[], around: &[] };

/// The forms of published templates, the more special first.
const FORMS: &[Form] = &[
    // gpt-oss (harmony): a message on the channel `analysis`.
    Form {
        open: "<|channel|>analysis<|message|>",
        close: "<|end|>",
        shown_by: &["<|channel|>analysis"],
        around: &["<|start|>assistant", "<|channel|>final<|message|>"],
    },
    // Gemma 4.
    Form {
        open: "<|channel>thought\n",
        close: "<channel|>",
        shown_by: &["<|channel>thought"],
        ..BARE
    },
    // Solar Open.
    Form { open: "<|think|>", close: "<|end|>", shown_by: &["<|think|>"], ..BARE },
    // Magistral and later Mistral models.
    Form { open: "[THINK]", close: "[/THINK]", shown_by: &["[/THINK]"], ..BARE },
    // Seed-OSS.
    Form { open: "<seed:think>", close: "</seed:think>", shown_by: &["</seed:think>"], ..BARE },
    // Command A Reasoning.
    Form {
        open: "<|START_THINKING|>",
        close: "<|END_THINKING|>",
        shown_by: &["<|END_THINKING|>"],
        ..BARE
    },
    // Apertus.
    Form {
        open: "<|inner_prefix|>",
        close: "<|inner_suffix|>",
        shown_by: &["<|inner_suffix|>"],
        ..BARE
    },
    // LongCat.
    Form {
        open: "<longcat_think>",
        close: "</longcat_think>",
        shown_by: &["</longcat_think>"],
        ..BARE
    },
    // OpenThinker.
    Form {
        open: "<|begin_of_thought|>",
        close: "<|end_of_thought|>",
        shown_by: &["<|end_of_thought|>"],
        ..BARE
    },
    // EXAONE Deep.
    Form { open: "<thought>", close: "</thought>", shown_by: &["<thought>", "</thought>"], ..BARE },
    // DeepSeek R1, Qwen3, SmolLM3, GLM 4.5, Phi-4 reasoning, MiniMax, Nemotron and most others.
    Form { open: "<think>", close: "</think>", shown_by: &["<think>", "</think>"], ..BARE },
];

impl Reasoning {
    /// The blocks of a template, by its source; `None` if it shows none.
    pub fn of_template(source: &str) -> Option<Reasoning> {
        let shows = |form: &&Form| form.shown_by.iter().any(|text| source.contains(text));
        let Form { open, close, around, .. } = FORMS.iter().find(shows)?;
        Some(Reasoning { open, close, around })
    }

    /// What begins and what ends a block.
    pub fn marks(&self) -> (&'static str, &'static str) {
        (self.open, self.close)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces of the templates that the models' makers publish.
    #[test]
    fn the_marks_of_published_templates_are_found() {
        let marks = |source: &str| Reasoning::of_template(source).map(|found| found.marks());
        let think = Some(("<think>", "</think>"));
        // Qwen3.
        assert_eq!(
            marks(
                "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- if \
                 enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n\
                 </think>\\n\\n' }}{%- endif %}{%- endif %}"
            ),
            think
        );
        // DeepSeek R1's distilled models.
        assert_eq!(
            marks(
                "{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}"
            ),
            think
        );
        // gpt-oss, whose `<|end|>` alone would be that of Phi.
        assert_eq!(
            marks("{{- \"<|start|>assistant<|channel|>analysis<|message|>\" + m.thinking }}"),
            Some(("<|channel|>analysis<|message|>", "<|end|>"))
        );
        assert_eq!(marks("{{ '<|assistant|>' + message['content'] + '<|end|>' }}"), None);
        assert_eq!(
            marks("{{- '[THINK]' + block['thinking'] + '[/THINK]' }}"),
            Some(("[THINK]", "[/THINK]"))
        );
        assert_eq!(
            marks("{{- '<seed:think>' + m.reasoning_content | trim + '</seed:think>' }}"),
            Some(("<seed:think>", "</seed:think>"))
        );
        // SmolLM2, which doesn't think.
        assert_eq!(
            marks(
                "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + \
                 message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}"
            ),
            None
        );
    }
}
