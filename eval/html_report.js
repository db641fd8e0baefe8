// What the report does by itself: groups, plots, and the list of questions. Text of articles, questions and models only
// ever becomes text nodes; nothing is fetched.
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const {records, tones, labels} = read("records-data");
  const plots = read("plots-data");

  // -- building blocks
  const make = (tag, css, ...children) => {
    const element = document.createElement(tag);
    if (css) element.className = css;
    element.append(...children.filter((child) => child !== null && child !== ""));
    return element;
  };
  const label = (words) => make("p", "label", words);
  const own = (css, words) => {
    const element = make("span", css, words);
    element.dir = "auto";
    return element;
  };
  const joined = (...parts) => parts.filter(Boolean).join(" · ");

  // -- groups of questions
  const switches = [...document.querySelectorAll("[data-show]")];
  let group = document.body.dataset.group;
  const show = (name) => {
    group = name;
    for (const part of document.querySelectorAll("[data-group]:not(body)")) part.hidden = part.dataset.group !== name;
    for (const button of switches) button.setAttribute("aria-pressed", String(button.dataset.show === name));
    draw();
  };
  for (const button of switches) button.addEventListener("click", () => show(button.dataset.show));

  // -- plots, in the colours of the theme
  const theme = () => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const rule = colour("rule");
    const axis = {gridcolor: rule, linecolor: rule, zerolinecolor: rule, automargin: true, title: {standoff: 10}};
    return {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      colorway: [colour("accent"), colour("second")],
      font: {family: colour("sans"), size: 12, color: colour("muted")},
      hoverlabel: {bgcolor: colour("card"), bordercolor: colour("muted"), font: {color: colour("ink")}},
      margin: {l: 50, r: 12, t: 14, b: 54},
      bargap: .08,
      legend: {orientation: "h", y: 1, yanchor: "bottom", x: 0},
      xaxis: axis,
      yaxis: axis,
    };
  };
  const draw = () => {
    const template = {layout: theme()};
    for (const place of document.querySelectorAll("[data-plot]")) {
      const plot = plots[group][place.dataset.plot];
      place.classList.toggle("none", !plot?.figure);
      place.parentElement.querySelector("figcaption").textContent = plot ? plot.caption : "No question of this group is in both runs.";
      if (!plot?.figure) {
        Plotly.purge(place);
        continue;
      }
      const layout = {height: 320, showlegend: plot.figure.data.length > 1, ...plot.figure.layout, template};
      Plotly.react(place, plot.figure.data, layout, {responsive: true, displaylogo: false, displayModeBar: false});
    }
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  // -- one question
  const markers = (cites, at) => cites.map((number) => {
    const link = make("a", "marker", `[${number}]`);
    link.href = `#quote-${at}-${number}`;
    return link;
  });
  const expected = (record) => {
    if (!record.expected.length) return make("p", "expected", "A refusal: the archive does not say.");
    return make("ul", "expected", ...record.expected.map((aliases) => make("li", "", own("", aliases.join(" | ")))));
  };
  const claim = (item, at) => {
    const sure = make("span", `verdict-of ${item.verdict}`, joined(`${item.verdict} ${item.score.toFixed(2)}`, ...item.reasons));
    const said = own("said", item.text);
    return make("li", "", said, " ", ...markers(item.cites, at), make("br"), sure);
  };
  const position = (item, at) =>
    make("li", "", own("said", item.value), " ", ...markers(item.cites, at), " ",
      own("small", joined(item.outlet || "outlet unknown", item.day || "date unknown")));
  const answer = (record, at) => {
    const part = make("div", "", label("Expected"), expected(record));
    if (record.error) part.append(label("The call failed"), make("pre", "", record.error));
    if ("shown" in record) part.append(label("Shown, its beginning"), own("said", record.shown));
    if ("claims" in record) {
      part.append(label("Shown"));
      if (record.short) part.append(make("p", "short", own("", record.short.text), " ", ...markers(record.short.cites, at)));
      if (record.claims.length) part.append(make("ol", "claims", ...record.claims.map((item) => claim(item, at))));
      if (record.text) part.append(make("p", "", own("said", record.text)));
      for (const positions of record.conflicts) {
        part.append(label("The sources differ"), make("ul", "", ...positions.map((item) => position(item, at))));
      }
      if (record.notes.length) part.append(label("Notes"), make("ul", "small", ...record.notes.map((note) => make("li", "", own("", note)))));
      if (record.raw) part.append(label("As the model wrote it"), make("pre", "", record.raw));
    }
    if (record.before) {
      part.append(label(`The other run: ${labels[record.before.outcome]}`), make("p", "", own("said", record.before.shown)));
    }
    if ("values" in record) {
      const details = [
        record.searched && `searched: ${record.searched}`,
        record.window && `time window: ${record.window}`,
        `model ${record.model}`,
        Object.entries(record.timings).map(([stage, ms]) => `${stage} ${ms} ms`).join(", "),
      ];
      part.append(label("How"), own("small", joined(...details)));
      const scores = Object.entries(record.values).map(([name, value]) => `${name} ${value}`).join(" · ");
      part.append(make("details", "more", make("summary", "", "Scores"), make("p", "values", scores)));
    }
    return part;
  };
  const quoted = (number, at, words) => {
    const quote = make("mark", "", words);
    quote.id = `quote-${at}-${number}`;
    return [make("span", "quote-number", `${number} `), quote];
  };
  // A passage with the quotes of its citations, which do not overlap. Offsets count code points, as Python does.
  const passage = (text, items, at) => {
    const chars = [...text];
    const part = make("p", "passage");
    part.dir = "auto";
    let done = 0;
    for (const item of [...items].sort((one, other) => one.at[1] - other.at[1])) {
      const [, start, end] = item.at;
      part.append(chars.slice(done, start).join(""), ...quoted(item.number, at, chars.slice(start, end).join("")));
      done = end;
    }
    part.append(chars.slice(done).join(""));
    return part;
  };
  // Citations of one passage are shown in it together, unless their quotes overlap.
  const together = (items) => {
    const groups = [];
    for (const item of items) {
      const fits = (one) => item.at && one.at && one.at[0] === item.at[0] && (one.at[2] <= item.at[1] || item.at[2] <= one.at[1]);
      const group = groups.find((group) => group.every(fits));
      if (group) group.push(item);
      else groups.push([item]);
    }
    return groups;
  };
  const source = (items, record, at) => {
    const [first] = items;
    const title = own("", first.title);
    const headline = make("p", "headline", `${items.map((item) => item.number).join(", ")} `);
    if (first.url) {
      const link = make("a", "", title);
      link.href = first.url;
      link.target = "_blank";
      link.rel = "noopener noreferrer nofollow";
      headline.append(link);
    } else headline.append(title);
    const also = first.also.length ? `also in ${first.also.join(", ")}` : "";
    const by = joined(first.outlet || "outlet unknown", first.day || "date unknown", first.section, also);
    const part = make("li", "source", headline, make("p", "small", own("", by)));
    if (first.correction) part.append(make("p", "warning", own("", first.correction)));
    if (first.at) part.append(passage(record.found[first.at[0]].text, items, at));
    else part.append(make("p", "passage", ...quoted(first.number, at, first.quote)));
    for (const item of items) {
      if (item.exact === false) part.append(make("p", "warning", `Quote ${item.number} is not what stands there: `, own("", item.quote)));
      if (!("exact" in item)) part.append(make("p", "warning", `No passage that was found holds quote ${item.number}.`));
    }
    return part;
  };
  const found = (item, place) => {
    const words = joined(item.outlet || "outlet unknown", item.day || "date unknown", item.id);
    const line = [`${place + 1} `, own("", item.title), " ", own("small", words), item.gold ? make("span", "gold", " gold evidence") : null];
    if (!item.text) return make("li", "", ...line);
    const text = make("p", "passage", item.text);
    text.dir = "auto";
    return make("li", "", make("details", "", make("summary", "", ...line), text));
  };
  const evidence = (record, at) => {
    if (!("sources" in record)) return null;
    const part = make("div", "", label("Cited"));
    if (record.sources.length) part.append(make("ol", "", ...together(record.sources).map((items) => source(items, record, at))));
    else part.append(make("p", "small", "Nothing is cited."));
    part.append(label(joined("Found, best first", record.ranks.length ? `gold evidence: ${places(record)}` : "there is no gold evidence")));
    part.append(make("ol", "found", ...record.found.map(found)));
    return part;
  };
  const places = (record) => record.ranks.map((rank) => (rank ? `place ${rank}` : "not found")).join(", ");

  // -- the list
  const list = document.getElementById("records");
  const rows = records.map((record, at) => {
    const about = joined(record.id, record.split, record.tags.join(", "), record.ranks.length ? `evidence at ${places(record)}` : "");
    const sure = "confidence" in record ? `confidence ${record.confidence.toFixed(2)}` : "";
    const summary = make("summary", "", make("span", `chip ${tones[record.outcome]}`, labels[record.outcome]),
      own("question", record.question), make("span", "sure", sure), own("about-record", about));
    const details = make("details", "", summary);
    details.addEventListener("toggle", () => {
      if (details.children.length > 1) return;
      const parts = [answer(record, at), evidence(record, at)].filter(Boolean);
      details.append(make("div", "body", ...parts));
    });
    const row = make("li", "record", details);
    row.id = `record-${at}`;
    return row;
  });
  list.append(...rows);

  // -- filters
  const split = document.getElementById("split");
  const tag = document.getElementById("tag");
  const moved = document.getElementById("moved");
  const words = document.getElementById("words");
  const outcomes = [...document.querySelectorAll("[data-outcome]")];
  const strings = (value) =>
    typeof value === "string" ? [value] : value && typeof value === "object" ? Object.values(value).flatMap(strings) : [];
  const texts = records.map((record) => strings(record).join("\n").toLowerCase());
  const movement = (record) => (!record.before ? "same" : record.before.gain > 0 ? "better" : record.before.gain < 0 ? "worse" : "other");
  const filter = () => {
    const chosen = outcomes.filter((button) => button.getAttribute("aria-pressed") === "true").map((button) => button.dataset.outcome);
    const sought = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    records.forEach((record, at) => {
      const fits = (!chosen.length || chosen.includes(record.outcome)) && (!split.value || record.split === split.value)
        && (!tag.value || record.tags.includes(tag.value)) && (!moved?.value || movement(record) === moved.value)
        && sought.every((word) => texts[at].includes(word));
      rows[at].hidden = !fits;
      shown += fits;
    });
    document.getElementById("shown").textContent = `${shown} of ${records.length} questions, the gravest first`;
  };
  for (const button of outcomes) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      filter();
    });
  }
  for (const field of [split, tag, moved, words]) field?.addEventListener("input", filter);
  const reset = () => {
    for (const button of outcomes) button.setAttribute("aria-pressed", "false");
    for (const field of [split, tag, moved, words]) if (field) field.value = "";
    filter();
  };
  document.getElementById("reset").addEventListener("click", reset);
  for (const button of document.querySelectorAll("[data-tag]")) {
    button.addEventListener("click", () => {
      reset();
      tag.value = button.dataset.tag;
      filter();
      document.getElementById("questions").scrollIntoView();
    });
  }

  show(group);
  filter();
})();
