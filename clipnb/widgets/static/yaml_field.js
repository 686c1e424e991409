// A plain text box, where the editor cannot be loaded: old browsers, pages that forbid programs from the notebook.
function plainField(model, el) {
  const box = document.createElement("textarea");
  box.setAttribute("aria-label", "experiment in YAML");
  box.value = model.get("value");
  const page = Math.random().toString(36).slice(2);
  const take = () => { if (model.get("value") !== box.value) box.value = model.get("value"); };
  box.addEventListener("input", () => model.send({ event: "typed", page, number: 0, text: box.value }));
  model.on("change:value", take);
  el.append(box);
  return () => model.off("change:value", take);
}

// Whatever else the page is about goes first: anywidget gives every widget two seconds to begin.
const idle = () => new Promise((resolve) => (globalThis.requestIdleCallback ?? setTimeout)(resolve, { timeout: 3000 }));

async function render({ model, el }) {
  await idle();
  globalThis.clipnbYaml ??= loadLibrary(model);
  let editor;
  try {
    editor = await globalThis.clipnbYaml;
  } catch {
    globalThis.clipnbYaml = undefined;
    return plainField(model, el);
  }
  return editor.mount(model, el);
}
export default { render };
