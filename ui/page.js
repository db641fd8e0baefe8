// What the page does by itself, and how its buttons reach the server. A button says in data-act what it is for.
(() => {
  // Actions that the server answers, by the Gradio event that carries them.
  const SERVER = {redo: "submit", read: "select", opine: "like", open: "select", forget: "delete", delete: "delete"};

  // Called by each HTML component of the page when it is there.
  window.pmWire = (element, trigger) => {
    element.addEventListener("click", (event) => {
      const button = event.target.closest("[data-act]");
      const name = button && SERVER[button.dataset.act];
      if (!name || !element.contains(button)) return;
      const data = {...button.dataset};
      const form = button.closest(".pm-form");
      if (form) for (const input of form.querySelectorAll("input, textarea")) data[input.name] = input.value;
      trigger(name, data);
      if (button.dataset.act === "opine") form.replaceWith(thanks());
    });
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !event.target.matches(".pm-form input")) return;
      event.preventDefault();
      event.target.closest(".pm-form").querySelector(".pm-apply").click();
    });
  };

  const thanks = () => {
    const words = document.createElement("span");
    words.setAttribute("role", "status");
    words.textContent = "Thank you.";
    return words;
  };

  // `navigator.clipboard` exists on https and localhost only: elsewhere the text is taken through a selection.
  const copy = async (button) => {
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(button.dataset.copy);
    } else {
      const area = document.createElement("textarea");
      area.value = button.dataset.copy;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const label = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = label; }, 1500);
  };

  // Sources in the order of the answer, or newest first, those without a date last.
  const sort = (button) => {
    const panel = button.closest(".pm-sources");
    const list = panel.querySelector("ol");
    const key = (card) => button.dataset.by === "time" ? -Number(card.dataset.time) : Number(card.dataset.place);
    [...list.children].sort((a, b) => key(a) - key(b) || a.dataset.place - b.dataset.place)
      .forEach((card) => list.append(card));
    for (const other of panel.querySelectorAll(".pm-sort button")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
  };

  // A thumb asks for a reason before it is sent.
  const rate = (button) => {
    const group = button.closest(".pm-rate");
    const good = button.dataset.rating === "up";
    const form = document.createElement("span");
    form.className = "pm-form";
    const label = document.createElement("label");
    label.textContent = good ? "What was good? " : "What was wrong? ";
    const reason = Object.assign(document.createElement("input"), {type: "text", name: "reason", maxLength: 2000});
    label.append(reason);
    const send = Object.assign(document.createElement("button"), {
      type: "button", className: "pm-action pm-apply", textContent: "Send",
    });
    Object.assign(send.dataset, {act: "opine", answer: group.dataset.answer, rating: button.dataset.rating});
    form.append(label, send);
    group.replaceWith(form);
    reason.focus();
  };

  // The article is closed; where it was opened from an answer the reader is taken back there.
  const close = (button) => {
    button.closest(".pm-article").remove();
    if (button.dataset.back) document.querySelector("#pm-tabs button[role=tab]").click();
  };

  const LOCAL = {copy, sort, rate, close};
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("[data-act]");
    const work = button && LOCAL[button.dataset.act];
    if (work) work(button);
    // A marker opens its source: the browser jumps there; going back with Escape ends where one was.
    const marker = event.target.closest && event.target.closest(".pm-cite");
    if (marker) {
      const card = document.getElementById(marker.hash.slice(1));
      if (card) { card.dataset.from = marker.hash; card.focus({preventScroll: true}); }
    }
  });
  document.addEventListener("keydown", (event) => {
    const card = event.key === "Escape" && document.activeElement && document.activeElement.closest(".pm-source");
    if (!card) return;
    const marker = document.querySelector(`.pm-cite[href="#${CSS.escape(card.id)}"]`);
    if (marker) marker.focus();
  });
})();
