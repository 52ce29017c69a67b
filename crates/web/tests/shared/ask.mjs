// What a page's own modules are asked for: a text of the engine in the tab.

/**
 * An expression for `Chromium.read`: the text of an answer, and the seconds it took.
 * `module` is where the page has its transport, if not beside it.
 */
export function ask(path, body, module = null) {
  const options = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const named = module ? JSON.stringify(module) : 'new URL("web/transport.js", location.href)';
  return `import(${named}).then(async ({ send }) => {
    const begun = performance.now();
    const answer = await send(${JSON.stringify(path)}, ${JSON.stringify(options)});
    // Not text(), which has words of its own where a body fails.
    let text = "";
    for await (const part of answer.body.pipeThrough(new TextDecoderStream())) text += part;
    return { status: answer.status, text, secs: (performance.now() - begun) / 1000 };
  })`;
}

/** The events of a stream without times, and without what depends on what was read before. */
export function timeless(text) {
  return text.replaceAll(/"timings":\{[^}]*\}/g, "").replaceAll(/"cached_tokens":\d+/g, "");
}
