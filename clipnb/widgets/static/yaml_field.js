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

async function render({ model, el }) {
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
