//! Seeds that are text, by target: what people write, and what is wrong in one place.

/// The seeds of each target but `gguf`.
pub(crate) fn all() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    vec![
        ("chain", chains()),
        ("form", forms()),
        ("recipe", RECIPES.iter().map(|text| text.as_bytes().to_vec()).collect()),
        ("request", requests()),
        ("template", templates()),
        ("tokenizer", tokenizer()),
    ]
}

const CHAINS: &[&str] = &[
    "temp=0.8 | top_k=40 | top_p=0.95",
    "draw",
    "temp=0",
    "temp=1e-45 | top_k=3",
    "temp=3.4e38",
    "temp=inf",
    "top_k=2,ties:kept | min_p=0.05 | draw",
    "repetition=1.1,window:64 | frequency=0.5 | presence=-0.5",
    "repetition=1.3,scope:prompt+output,window:-1",
    "dry=0.8,base:1.75,length:2,window:-1,breakers:1/2+3 | temp=1",
    "no_repeat_ngram=2",
    "bias=0:-inf,2:1.5,7:-100 | temp=1",
    "mask=1,2,10-14",
    "mask=not,0,3-5 | temp=1",
    "typical=0.9,ties:kept",
    "xtc=0.5,threshold:0.1 | xtc=1,threshold:0",
    "temp=1.5 | mirostat=2,eta:0.6",
    "mirostat=3,version:1",
    "adaptive_p=0.4,decay:0.9",
    "quadratic=0.3,curve:1.5",
    "dynatemp=0.5..1.5,exponent:2",
    "edt=0.8,theta:0.1",
    "tfs=0.95 | top_a=0.2",
    "eta=0.0009 | epsilon=0.001",
    "top_h=0.4 | top_n_sigma=1",
    "p_less",
    "temp=1 | | top_k=2",
    "top_k=-1",
    "temp=nan",
    "temp=1 | draw | top_p=0.5",
    "top_p=1e-300 | top_p=0.9999999999",
    "mirostat=5 | temp=1",
];

fn chains() -> Vec<Vec<u8>> {
    let rows: [&[f32]; 6] = [
        &[],
        &[0.1, 0.0, 0.5, 1.0, 4.0, 0.6, -3.0, 2.0, 1.0, 1.0],
        &[1.0; 16],
        &[0.0, f32::NEG_INFINITY, 3.0e38, -3.0e38, 1e-40, f32::NEG_INFINITY, 5.0, -0.0],
        &[f32::NEG_INFINITY; 4],
        &[1.0, f32::NAN, f32::INFINITY, 2.0],
    ];
    let seed = |(i, chain): (usize, &&str)| {
        let logits = rows[i % rows.len()].iter().flat_map(|x| x.to_le_bytes());
        chain.bytes().chain([b'\n']).chain(logits).collect()
    };
    CHAINS.iter().enumerate().map(seed).collect()
}

const SCHEMAS: &[&str] = &[
    r#"{"type":"object","properties":{"name":{"type":"string","maxLength":8},"age":{"type":"integer","minimum":0,"maximum":150}},"required":["name"],"additionalProperties":false}"#,
    r#"{"type":"array","items":{"enum":["a","b",1,null,true]},"minItems":1,"maxItems":3}"#,
    r#"{"anyOf":[{"type":"number"},{"type":"string","pattern":"^[a-z]{1,4}$"}]}"#,
    r##"{"$defs":{"node":{"type":"object","properties":{"next":{"$ref":"#/$defs/node"}}}},"$ref":"#/$defs/node"}"##,
    r#"{"const":{"a":[1,2.5,"x"]}}"#,
    r#"{"type":"integer","multipleOf":3,"minimum":-9,"maximum":9}"#,
    r#"{"allOf":[{"multipleOf":9999},{"multipleOf":9998}]}"#,
    r#"{"type":"object","patternProperties":{"^k[01]$":{"type":"integer"}},"minProperties":2}"#,
    r#"{"type":"string","format":"date-time"}"#,
    r#"{"type":["string","null"],"maxLength":4}"#,
    r#"{"type":"object","propertyNames":{"type":"string"}}"#,
    r#"{"enum":[9007199254740993]}"#,
    r#"{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{}}}}}}}}}"#,
    r#"[1,2"#,
    r#"true"#,
    r#"{"type":"object","patternProperties":{"^kvv.*vvv$":{"type":"integer"},"^.*\\d$":{}}}"#,
];

const REGEXES: &[&str] = &[
    "yes|no",
    "[a-z]{2,5}",
    "(ab)*c?",
    "\\d+\\.\\d+",
    "^a$",
    "(?i)abc",
    "[^\\x00-\\x7f]+",
    "(a{100}){100}",
    "(",
];

const GRAMMARS: &[&str] = &[
    "start: \"yes\" | \"no\"",
    "start: item (\",\" item)*\nitem: /[0-9]+/",
    "start: A B?\nA: \"x\"\nB: /y{1,3}/",
    "start: a & b\na: \"x\"\nb: \"y\"",
    "start: \"(\" start \")\" | \"x\"",
    "start: %json {\"type\":\"integer\"}",
    "start: ~A\nA: \"x\" // c & d",
    "x: \"y\"",
];

const CHOICES: &[&str] = &["yes\nno", "a\nab\nabc", "é\n🌀", "", "one (1)\ntwo [2]\n", "a.b*c\\d"];

/// The first byte is the notation: 0 to 3.
fn forms() -> Vec<Vec<u8>> {
    let all = [SCHEMAS, REGEXES, GRAMMARS, CHOICES];
    let of = |(pick, list): (usize, &&'static [&'static str])| {
        let one = move |text: &&str| [&[pick as u8], text.as_bytes()].concat();
        list.iter().map(one).collect::<Vec<_>>()
    };
    all.iter().enumerate().flat_map(of).collect()
}

const RECIPES: &[&str] = &[
    "prompts = \"Once upon a time\"",
    "prompts = [\"a\", \"b\"]\ntemp = \"0.5..1.5 step 0.5\"\nsamples = 4\nseed = 7",
    "prompts = \"a\"\nsampler = [\"temp={0.5,1} | min_p={0,0.1}\", \"draw\"]",
    "prompts = \"a\"\n[stages]\nmin_p = [0, 0.1]\ntop_k = 40",
    "prompts = \"a\"\nprofile = \"llama.cpp\"\ntemp = [0, 0.5, 1]",
    "prompts = \"a\"\nprofile = \"vllm\"\n[stages]\ntop_p = 0.9\nrepetition = 1.1",
    "model = \"gemma3\"\nprompts = \"a\"\ntemplate = \"chat\"\nsystem = \"Be brief.\"\ndate = \"2026-11-28\"",
    "server = \"http://localhost:8080/v1/\"\nmodel = \"m\"\nspeaks = \"openai\"\nprompts = \"a\"",
    "server = \"http://localhost:8080/v1\"\nprompts = \"a\"",
    "speaks = \"vllm\"\nprompts = \"a\"",
    "prompts = \"a\"\nmax_tokens = 16\nstop = [\"\\n\", \"END\"]\nignore_end = true\ncontext = 512\ncache = \"f32\"",
    "prompts = \"a\"\nrecord = [\"shift\", \"logits=20\"]\nmetrics = [\"shift\", \"distinct_2\"]\njudge = \"none\"",
    "prompts = \"a\"\nrecord = \"logits\"\nmetrics = \"all\"\nspecial = true",
    "prompts = [\"a\", \"a\"]",
    "prompts = []",
    "prompt_file = \"prompts.txt\"",
    "prompts = \"a\"\nsampels = 3",
    "prompts = \"a\"\nsamples = 0",
    "prompts = \"a\"\nsamples = -1",
    "prompts = \"a\"\nseed = 9223372036854775807",
    "prompts = \"a\"\ntemp = \"1,1\"",
    "prompts = \"a\"\ntemp = \"1e400\"",
    "prompts = \"a\"\ntemp = \"0..1\"",
    "prompts = \"a\"\nsampler = \"temp={0.5\"",
    "prompts = \"a\"\nstop = \"\"",
    "prompts = \"a\"\ntemplate = \"none\"",
    "prompts = 'a'\nprompts = 'b'",
    "prompts = \"\"\"\nmany\nlines é \\u00e9\"\"\"\n# comment\ntemp = 1.5e0",
    "prompts = [[\"a\"]]",
    "= 3",
];

/// The routes in the order of the target's list, each with bodies.
const REQUESTS: &[(u8, &str)] = &[
    (0, r#"{"prompt":"Once","max_tokens":4,"temperature":0.7,"top_p":0.9,"seed":7}"#),
    (0, r#"{"prompt":[1,2,3],"n":2,"logprobs":5,"echo":true,"stop":["\n","x"],"stream":true}"#),
    (
        0,
        r#"{"prompt":["a","b"],"temperatures":[0,1,2],"logit_bias":{"5":-100},"bad_words":["no"]}"#,
    ),
    (0, r#"{"prompt":"a","sampler":"temp=0.5 | top_k=3","logprobs_stage":"final","logprobs":1}"#),
    (
        0,
        r#"{"prompt":"a","profile":"vllm","top_k":-1,"min_p":0.1,"repetition_penalty":1.1,"allowed_token_ids":[1,2]}"#,
    ),
    (
        0,
        r#"{"prompt":"a","structured_outputs":{"choice":["yes","no"]},"stream_options":{"include_usage":true},"stream":true}"#,
    ),
    (
        0,
        r#"{"prompt":[[1,2],[3]],"prompt_logprobs":2,"return_token_ids":true,"min_tokens":1,"stop_token_ids":[5]}"#,
    ),
    (
        0,
        r#"{"prompt":"a","max_tokens":1e3,"model":"other","suffix":"","best_of":1,"user":"u","metadata":{"a":"b"}}"#,
    ),
    (
        1,
        r#"{"messages":[{"role":"user","content":"Hi"}],"max_completion_tokens":8,"logprobs":true,"top_logprobs":3}"#,
    ),
    (
        1,
        r#"{"messages":[{"role":"developer","content":[{"type":"text","text":"Be brief."}]},{"role":"user","name":"x","content":"Hi"}],"tools":[]}"#,
    ),
    (
        1,
        r#"{"messages":[{"role":"user","content":"Hi"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"},"strict":true}}}"#,
    ),
    (
        1,
        r#"{"messages":[{"role":"assistant","content":null,"tool_calls":[]}],"date":"2026-11-28"}"#,
    ),
    (
        2,
        r#"{"input":"Hi","instructions":"Be brief.","max_output_tokens":5,"text":{"format":{"type":"text"},"verbosity":"medium"}}"#,
    ),
    (
        2,
        r#"{"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"Hi"}],"id":"1"}],"include":["message.output_text.logprobs"],"top_logprobs":2,"truncation":"disabled"}"#,
    ),
    (3, r#"{"prompt":"Once upon","add_special_tokens":false}"#),
    (3, r#"{"messages":[{"role":"user","content":"Hi"}]}"#),
    (4, r#"{"tokens":[1,2,3,4]}"#),
    (5, r#"{"messages":[{"role":"user","content":"<s>Hi</s>"}]}"#),
    (6, r#"{"sampler":"temp=0.5 | top_k=3 | temp=2"}"#),
    (7, r##"{"query":"#5"}"##),
    (
        8,
        r#"{"logits":[{"logit":1,"label":"a"},{"logit":"-inf"},{"logit":-2.5}],"temperature":0.5}"#,
    ),
    (9, r#"{"logits":[{"logit":1e300},{"logit":-1e300}]}"#),
    (
        10,
        r#"{"prompt":"a","sampler":"mirostat=3","temperature":"inf","top":5,"watch":[1,2],"seed":1,"sample":2,"learned":{"mirostat":[1,2]}}"#,
    ),
    (11, r#"{"messages":[{"role":"user","content":"Hi"}],"continuation":[5,6]}"#),
    (12, r#"{"prompt":"a","temperature":1}"#),
    (13, r#"{"prompt":"a","token":5}"#),
    (14, r#"{"prompt":"a","n":100}"#),
    (15, r#"{"prompt":"a","columns":[{"sampler":"temp=1"},{"sampler":"temp=2"}],"max_tokens":5}"#),
    (0, r#"{"prompt":"a","unknown":1}"#),
    (0, "{\"prompt\":\"\u{FEFF}a\""),
    (1, "[]"),
    (16, r#"{"prompt":"On","add_special_tokens":false}"#),
    (0, r#"{"prompt":"a","temperature":"éèêëéèêëéèêëéèêëéèêëéèêëéèêëéèêëéèêë"}"#),
];

fn requests() -> Vec<Vec<u8>> {
    REQUESTS.iter().map(|(route, body)| [&[*route], body.as_bytes()].concat()).collect()
}

const TEMPLATES: &[&str] = &[
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
    "{{ messages|tojson(indent=2) }}{{ strftime_now('%d %b %Y') }}",
    "{% set ns = namespace(n=0) %}{% for i in range(5) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}",
    "{% macro m(x) %}[{{ x }}]{% endmacro %}{{ m(m(1)) }}",
    "{{ raise_exception('no system message') }}",
    "{% if messages[0].role == 'system' %}{{ messages[0].content|trim }}{% elif tools %}t{% else %}e{% endif %}",
    "{% for m in messages %}{% if loop.index0 % 2 %}{% continue %}{% endif %}{{ loop.last }}{% break %}{% endfor %}",
    "{{ messages|map(attribute='role')|join(', ') }}{{ messages[::-1]|list|length }}",
    "{{ 'a,b'.split(',')|tojson }}{{ ' x '.strip() }}{{ 'ab'.startswith('a') }}{{ 'x'.replace('x', 'y') }}",
    "{{ {'b': 1}.get('c', 2) }}{% for k, v in {'a': 1}.items() %}{{ k }}{{ v }}{% endfor %}",
    "{% set x %}{{ bos_token }}{% endset %}{{ x|upper ~ eos_token }}",
    "{% generation %}{{ messages[-1].content }}{% endgeneration %}",
    "{{ -1-1-1-1-1-1-1-1-1 }}{{ 7 // 2 }}{{ -7 % 3 }}{{ 2 ** 8 }}",
    "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
    "{% set x = [1] %}{% for i in range(40) %}{% set x = x + x %}{% endfor %}{{ x|length }}",
    "{{ 'a' * 1000000 }}",
    "{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{{ ''.__class__.__mro__ }}{{ messages|attr('x') }}",
    "{% if not(tools) %}{{ missing is defined }}{{ none is none }}{% endif %}",
    "{{ ((((((((((1)))))))))) }}{{ [[[[1]]]] }}",
    "{# a comment #}{%- if true -%} x {%- endif -%}\r\n",
    "{{ message }",
    "{% endfor %}",
    "{{ content }}\0first\0second\0",
    "{% for m in messages %}{{ m.content }}{% endfor %}\0{{ 1 }}\0é🌀\0",
    "{% set a = messages|selectattr('role', 'equalto', 'user')|list %}{{ a|sort(attribute='content') }}{{ a|first }}",
    "{{ dict(a=1, b=[1,2]) }}{{ [1, 2] in [[1, 2]] }}{{ messages|groupby('role') }}",
    "{% filter upper %}x{% endfilter %}{% with a = 1 %}{{ a }}{% endwith %}{{ 'x' if false else 'y' }}",
    "{% raw %}{{ x }}{% endraw %}{{ '%s-%d' % ('a', 1) }}{% set c = cycler(1, 'b') %}{{ c.next() ~ c.current }}",
];

fn templates() -> Vec<Vec<u8>> {
    let files: [&[u8]; 5] = [
        include_bytes!("../../../crates/engine/tests/chat_templates/gemma.jinja"),
        include_bytes!("../../../crates/engine/tests/chat_templates/language.jinja"),
        include_bytes!("../../../crates/engine/tests/chat_templates/llama3.jinja"),
        include_bytes!("../../../crates/engine/tests/chat_templates/mistral.jinja"),
        include_bytes!("../../../crates/engine/tests/chat_templates/smollm2.jinja"),
    ];
    TEMPLATES.iter().map(|text| text.as_bytes().to_vec()).chain(files.map(<[u8]>::to_vec)).collect()
}

const TEXTS: &[&str] = &[
    "Hello the world, and 12345 more!",
    "  leading    and trailing   ",
    "\n\n\t tabs\r\nand\u{a0}spaces",
    "I'll we've DON'T it's",
    "<|im_start|>user\nHi<|im_end|>",
    "<aa<a<aaa><tool><|im<|>",
    "<unk><s></s><0x0A><0xFF>",
    "▁▁a▁ b",
    "éé你好🌀🌀👩‍👩‍👧",
    "CamelCaseXYZabc ÀÉÎõü ǅ",
    "a̐éö̲ हिन्दी ไทย 한국어",
    "\0\u{1}\u{7f}\u{FEFF}\u{FFFD}",
    "",
    "----====....!!!!",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "¹²³ ½ Ⅷ ٣٤",
];

/// Each text with some vocabularies.
fn tokenizer() -> Vec<Vec<u8>> {
    let one = |(i, text): (usize, &&str)| {
        // All vocabularies come up.
        let picks = [0, 16, 32].map(|first| first + i as u8);
        picks.map(|pick| [&[pick, i as u8 % 4], text.as_bytes()].concat())
    };
    let mut seeds: Vec<Vec<u8>> = TEXTS.iter().enumerate().flat_map(one).collect();
    seeds.push(vec![0, 0, 0xFF, 0xC3, b'a', 0xE2, 0x82]);
    seeds
}
