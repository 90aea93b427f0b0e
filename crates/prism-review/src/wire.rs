//! The request as OpenAI-compatible endpoints want it, and what comes back as an outcome. Pure: bytes in, values out.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::access::{Access, Settings, Structured};
use crate::answer::{self, Answer, NotAnAnswer, Refutation};
use crate::case::Case;
use crate::decision::{Outcome, Purpose, Unreachable};
use crate::judge::{self, NoVote};
use crate::prompt::Prompt;

/// The tool that must be called where there are no schemas.
const TOOL: &str = "submit_review";
/// Longest name of a model or provider that is kept, in characters.
const NAME_CHARS_MAX: usize = 120;
/// Longest raw answer that is kept, in characters.
const RAW_CHARS_MAX: usize = 16_000;

/// What the endpoint says that a call took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// The model as it came back.
    pub model: Option<String>,
    /// Who ran it, where that is said.
    pub provider: Option<String>,
    /// Tokens of the question.
    pub input_tokens: Option<u64>,
    /// Tokens of the answer.
    pub output_tokens: Option<u64>,
    /// In US dollars, as the endpoint says it.
    pub cost_usd: Option<f64>,
}

/// An answer, understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Understood {
    /// What it is worth.
    pub outcome: Outcome,
    /// What it took.
    pub usage: Usage,
    /// The beginning of the model's text: a stranger's words.
    pub raw: Option<String>,
}

impl Understood {
    fn bare(outcome: Outcome) -> Self {
        Self {
            outcome,
            usage: Usage::default(),
            raw: None,
        }
    }
}

/// The body of a request.
pub fn request(access: &Access, settings: &Settings, purpose: Purpose, prompt: &Prompt) -> Vec<u8> {
    let (model, schema) = match purpose {
        Purpose::Bare | Purpose::Full => (&settings.model, answer::answer_schema()),
        Purpose::Refute => (&settings.second_model, answer::refutation_schema()),
    };
    let mut body = json!({
        "model": model,
        "messages": [
            { "role": "system", "content": prompt.system },
            { "role": "user", "content": prompt.user },
        ],
        "stream": false,
        "max_tokens": settings.max_answer_tokens,
    });
    match settings.structured {
        Structured::Schema => {
            body["response_format"] = json!({
                "type": "json_schema",
                "json_schema": { "name": TOOL, "strict": true, "schema": schema },
            });
        }
        Structured::Tool => {
            body["tools"] = json!([{
                "type": "function",
                "function": { "name": TOOL, "description": "The review.", "strict": true, "parameters": schema },
            }]);
            body["tool_choice"] = json!({ "type": "function", "function": { "name": TOOL } });
        }
    }
    if let Some(temperature) = settings.temperature {
        body["temperature"] = json!(temperature);
    }
    if let Some(seed) = settings.seed {
        body["seed"] = json!(seed);
    }
    if access.is_openrouter() {
        body["provider"] = json!({ "require_parameters": true, "data_collection": "deny" });
        // Nobody cuts the middle out of a long prompt.
        body["transforms"] = json!([]);
    }
    body.to_string().into_bytes()
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    model: Option<Value>,
    #[serde(default)]
    provider: Option<Value>,
    #[serde(default)]
    choices: Option<Vec<Chosen>>,
    #[serde(default)]
    usage: Option<Value>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Chosen {
    #[serde(default)]
    message: Option<Message>,
    #[serde(default)]
    finish_reason: Option<Value>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<Value>,
    #[serde(default)]
    refusal: Option<Value>,
    #[serde(default)]
    tool_calls: Option<Vec<ToolCall>>,
}

#[derive(Deserialize)]
struct ToolCall {
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    arguments: String,
}

/// What a status says that is no success; `None` for one that says nothing about a later call.
pub fn of_status(status: u16, retry_after_seconds: Option<u64>) -> Option<Outcome> {
    let unreachable = |why| {
        Some(Outcome::Unreachable {
            why,
            retry_after_seconds,
        })
    };
    match status {
        200..=299 => None,
        408 | 429 => unreachable(Unreachable::Busy),
        500..=599 => unreachable(Unreachable::Failed),
        // 400, 401, 402, 403, 404, 422, and whatever else says that the same request will not do.
        _ => Some(Outcome::Setup { status }),
    }
}

/// What an answer with a successful status is worth.
pub fn understand(
    case: &Case,
    settings: &Settings,
    purpose: Purpose,
    prompt: &Prompt,
    body: &[u8],
) -> Understood {
    let none = |why| Outcome::NoVote { why };
    let Ok(envelope) = serde_json::from_slice::<Envelope>(body) else {
        return Understood::bare(none(NoVote::Unparseable));
    };
    if let Some(error) = envelope.error.as_ref().filter(|error| !error.is_null()) {
        return Understood::bare(of_error(error));
    }
    let mut understood = Understood::bare(none(NoVote::Empty));
    understood.usage = usage(&envelope);
    let Some(choice) = envelope.choices.and_then(|choices| choices.into_iter().next()) else {
        return understood;
    };
    if let Some(error) = choice.error.as_ref().filter(|error| !error.is_null()) {
        understood.outcome = of_error(error);
        return understood;
    }
    let Some(message) = choice.message else {
        return understood;
    };
    if message
        .refusal
        .as_ref()
        .is_some_and(|refusal| !refusal.is_null() && refusal != "")
    {
        understood.outcome = none(NoVote::Refusal);
        return understood;
    }
    let finish = choice.finish_reason.as_ref().and_then(Value::as_str);
    let is_whole = match settings.structured {
        Structured::Schema => finish == Some("stop"),
        Structured::Tool => matches!(finish, Some("stop" | "tool_calls")),
    };
    let text = match settings.structured {
        Structured::Schema => message
            .content
            .as_ref()
            .and_then(Value::as_str)
            .map(str::to_owned),
        Structured::Tool => {
            let mut calls = message.tool_calls.unwrap_or_default().into_iter();
            match (calls.next(), calls.next()) {
                (Some(call), None) if call.function.name == TOOL => Some(call.function.arguments),
                _ => None,
            }
        }
    };
    let text = text.unwrap_or_default();
    understood.raw = (!text.is_empty()).then(|| text.chars().take(RAW_CHARS_MAX).collect());
    understood.outcome = if !is_whole {
        none(NoVote::CutOff)
    } else if text.trim().is_empty() {
        none(NoVote::Empty)
    } else {
        judged(case, purpose, prompt, &text)
    };
    understood
}

fn judged(case: &Case, purpose: Purpose, prompt: &Prompt, text: &str) -> Outcome {
    let not_one = |error| match error {
        NotAnAnswer::TooLong => NoVote::TooLong,
        NotAnAnswer::Shape | NotAnAnswer::Bounds => NoVote::Unparseable,
    };
    let vote = match purpose {
        Purpose::Bare | Purpose::Full => Answer::parse(text)
            .map_err(not_one)
            .and_then(|answer| judge::reading(case, prompt, &answer)),
        Purpose::Refute => Refutation::parse(text)
            .map_err(not_one)
            .and_then(|answer| judge::refutation(prompt, &answer)),
    };
    match vote {
        Ok(vote) => Outcome::Vote(vote),
        Err(why) => Outcome::NoVote { why },
    }
}

/// An error inside of a success.
fn of_error(error: &Value) -> Outcome {
    let code = &error["code"];
    let status = code
        .as_u64()
        .or_else(|| code.as_str().and_then(|code| code.parse().ok()))
        .and_then(|code| u16::try_from(code).ok());
    let retry_after = error["metadata"]["headers"]["Retry-After"].as_str();
    let outcome = status.and_then(|status| of_status(status, retry_after.and_then(|text| text.parse().ok())));
    outcome.unwrap_or(Outcome::NoVote { why: NoVote::Empty })
}

fn usage(envelope: &Envelope) -> Usage {
    let name = |value: &Option<Value>| {
        let text = value.as_ref().and_then(Value::as_str)?;
        let plain = |character: &char| character.is_ascii_graphic() || *character == ' ';
        Some(text.chars().filter(plain).take(NAME_CHARS_MAX).collect())
    };
    let of = |key: &str| envelope.usage.as_ref().map(|usage| &usage[key]);
    let cost = of("cost").and_then(Value::as_f64);
    Usage {
        model: name(&envelope.model),
        provider: name(&envelope.provider),
        input_tokens: of("prompt_tokens").and_then(Value::as_u64),
        output_tokens: of("completion_tokens").and_then(Value::as_u64),
        cost_usd: cost.filter(|cost| (0.0..1e6).contains(cost)),
    }
}
