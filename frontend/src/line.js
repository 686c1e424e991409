// What goes to the kernel and comes back. One text is under way at a time; of those typed meanwhile the newest follows.
const REST = 150; // milliseconds without a key, after which what was typed goes
const LATE = 10_000; // milliseconds, after which no answer is waited for any more: the kernel is busy, or gone
const HOVERED = 2000;

export function makeLine(model, read, refuse) {
  const page = Math.random().toString(36).slice(2);
  const answers = new Map();
  let number = 0;
  let underWay = 0;
  let isChanged = false;
  let sent = null;
  let timer;

  const hear = (message) => {
    if (message.page !== page) return;
    answers.get(message.number)?.(message);
    answers.delete(message.number);
  };
  model.on("msg:custom", hear);

  function send(event) {
    clearTimeout(timer);
    const text = read();
    isChanged = false;
    if (text.length > model.get("longest")) {
      refuse(`this has ${text.length} characters; an experiment has at most ${model.get("longest")}`);
      return true;
    }
    const mine = (number += 1);
    sent = text;
    underWay = mine;
    const free = () => {
      clearTimeout(late);
      if (underWay !== mine) return;
      underWay = 0;
      if (isChanged) send("typed");
    };
    const late = setTimeout(free, LATE);
    answers.set(mine, free);
    model.send({ event, page, number: mine, text });
    return true;
  }

  function rest() {
    if (!underWay) send("typed");
  }

  return {
    send,
    typed() {
      isChanged = true;
      clearTimeout(timer);
      timer = setTimeout(rest, REST);
    },
    flush() {
      if (isChanged) send("typed");
    },
    // Whether a text is what was sent from here, which has come back.
    isOurs: (text) => text === sent,
    forget() {
      sent = null;
      isChanged = false;
      clearTimeout(timer);
    },
    ask(question) {
      const mine = (number += 1);
      return new Promise((resolve) => {
        answers.set(mine, resolve);
        model.send({ ...question, page, number: mine });
        setTimeout(() => {
          answers.delete(mine);
          resolve(null);
        }, HOVERED);
      });
    },
    end() {
      try {
        if (isChanged) send("typed");
      } catch {
        // the widget is closed
      }
      clearTimeout(timer);
      model.off("msg:custom", hear);
    },
  };
}
