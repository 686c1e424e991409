// Files go to the kernel in parts far below every server's limit on messages, one at a time: the next part leaves
// when the kernel has answered the one before. A name and a size go ahead of them.
const PART = 2 ** 20; // bytes

function makeElement(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  if (text) element.textContent = text;
  return element;
}

function makeSender(model, say) {
  const key = Math.random().toString(36).slice(2);
  let count = 0;
  let answered = () => {};
  const hear = (message) => message.key === key && answered(message);
  model.on("msg:custom", hear);

  const ask = (content, buffers, words) =>
    new Promise((resolve) => {
      const late = setTimeout(() => say(`${words}: waiting for the kernel; it may be busy with a cell`), 4000);
      answered = (message) => {
        clearTimeout(late);
        resolve(message);
      };
      model.send({ key, ...content }, undefined, buffers);
    });

  async function sendFile(file, first) {
    count += 1;
    const limit = model.get("largest");
    if (file.size > limit) {
      model.send({ key, kind: "too large", name: file.name, size: file.size, first });
      return;
    }
    const facts = { kind: "part", number: count, name: file.name, size: file.size };
    let sent = 0;
    do {
      const words = `${file.name}: ${Math.floor((100 * sent) / Math.max(1, file.size))} %`;
      say(words);
      const buffer = await file.slice(sent, sent + PART).arrayBuffer();
      const answer = await ask({ ...facts, start: sent, first: first && sent === 0 }, [new DataView(buffer)], words);
      if (answer.kind !== "more") return;
      sent += buffer.byteLength;
    } while (sent < file.size);
  }

  let queue = Promise.resolve();
  const sendAll = (files) => {
    const list = [...files];
    const work = async () => {
      for (const [place, file] of list.entries()) await sendFile(file, place === 0);
      say("");
    };
    queue = queue.then(work).catch((error) => say(`the upload failed: ${error}`));
  };
  return { sendAll, end: () => model.off("msg:custom", hear) };
}

function render({ model, el }) {
  const box = makeElement("div", "clipnb-intake");
  const button = makeElement("button", "jupyter-button widget-button clipnb-choose", model.get("label"));
  button.type = "button";
  const chooser = makeElement("input", "");
  chooser.type = "file";
  chooser.multiple = model.get("multiple");
  chooser.accept = model.get("accept");
  chooser.style.display = "none"; // Notebook 6 shows what is only `hidden`
  const zone = makeElement("div", "clipnb-zone", model.get("hint"));
  zone.tabIndex = 0;
  zone.setAttribute("role", "button");
  zone.setAttribute("aria-label", model.get("hint"));
  zone.dataset.lmSuppressShortcuts = "true"; // JupyterLab's own keys, such as pasting cells, stay out of it
  const said = makeElement("span", "clipnb-count");
  said.setAttribute("role", "status");
  box.append(button, chooser, zone, said);
  el.append(box);

  const say = (text) => {
    said.textContent = text;
  };
  const sender = makeSender(model, say);
  const take = (files) => sender.sendAll(model.get("multiple") ? files : [...files].slice(0, 1));
  button.addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", () => {
    take(chooser.files);
    chooser.value = ""; // so that the same file can be given again
  });
  zone.addEventListener("paste", (event) => {
    event.preventDefault();
    event.stopPropagation();
    const files = event.clipboardData?.files ?? [];
    if (files.length) take(files);
    else say("there is no file in the clipboard");
  });
  for (const name of ["dragenter", "dragover"]) {
    box.addEventListener(name, (event) => {
      event.preventDefault();
      event.stopPropagation();
      zone.classList.add("clipnb-over");
    });
  }
  for (const name of ["dragleave", "drop"]) box.addEventListener(name, () => zone.classList.remove("clipnb-over"));
  box.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    take(event.dataTransfer?.files ?? []);
  });
  return sender.end;
}
export default { render };
