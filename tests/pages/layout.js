(rules) => {
  // Measures what is visible and returns one sentence for each thing that breaks a rule.
  const problems = [];
  const SLACK = 1.5;
  const wide = window.innerWidth;
  const high = window.innerHeight;

  const name = (element) => {
    const words = (element.innerText || element.getAttribute("aria-label") || "").trim();
    return `<${element.tagName.toLowerCase()} ${element.id || element.className}> ` +
      `'${words.slice(0, 24)}'`;
  };
  const isSeen = (element) =>
    element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
    !element.closest(".only-spoken");
  const rgba = (text) => {
    const parts = text.match(/[\d.]+/g).map(Number);
    return parts.length < 4 ? [...parts, 1] : parts;
  };
  const over = (top, under) => {
    const alpha = top[3];
    return [0, 1, 2].map((i) => top[i] * alpha + under[i] * (1 - alpha)).concat(1);
  };
  const ground = (element) => {
    if (!element) return [255, 255, 255, 1];
    const own = rgba(getComputedStyle(element).backgroundColor);
    return own[3] >= 1 ? own : over(own, ground(element.parentElement));
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [low, top] = [light(a), light(b)].sort((x, y) => x - y);
    return (top + 0.05) / (low + 0.05);
  };

  const painted = [];
  const range = document.createRange(); // one: each that lives slows every change of the page
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const element = node.parentElement;
    if (!node.data.trim() || !isSeen(element)) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    if (size < rules.font_px - 0.01) {
      problems.push(`font ${size} px < ${rules.font_px}: ${name(element)}`);
    }
    if (node.data.trim().length > 20 && parseFloat(style.lineHeight) / size < rules.lines) {
      problems.push(`line height ${style.lineHeight} of ${size} px: ${name(element)}`);
    }
    const under = ground(element);
    const ratio = contrast(over(rgba(style.color), under), under);
    if (ratio < rules.contrast - 0.005) {
      problems.push(`contrast ${ratio.toFixed(2)} < ${rules.contrast}: ${name(element)}`);
    }
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      painted.push([box.top, box.bottom]);
      if (box.left < -SLACK || box.right > wide + SLACK) {
        problems.push(`text runs out of the window: ${name(element)}`);
        break;
      }
      if (!rules.scrolls && (box.top < -SLACK || box.bottom > high + SLACK)) {
        problems.push(`text is above or below the window: ${name(element)}`);
        break;
      }
      let around = element;
      let cut = null;
      while (around && around !== document.body && !cut) {
        const { overflowX, overflowY } = getComputedStyle(around);
        const frame = around.getBoundingClientRect();
        const hidesX = overflowX === "hidden" || overflowX === "clip";
        const hidesY = overflowY !== "visible" && (overflowY !== "auto" || !rules.scrolls);
        if ((hidesX && (box.left < frame.left - SLACK || box.right > frame.right + SLACK)) ||
            (hidesY && (box.top + box.bottom) / 2 > frame.bottom) ||
            (hidesY && (box.top + box.bottom) / 2 < frame.top)) cut = around;
        around = around.parentElement;
      }
      if (cut) {
        problems.push(`text is cut off by ${name(cut)}: ${name(element)}`);
        break;
      }
    }
  }

  const targets = [...document.querySelectorAll(
    "button, a[href], input:not([type=hidden]), select, textarea, summary, [role=button]",
  )].filter((element) => isSeen(element) && !element.closest("p, .inline-links"));
  const boxes = targets.map((element) => element.getBoundingClientRect());
  targets.forEach((element, index) => {
    const box = boxes[index];
    if (box.width < rules.target_px - 0.5 || box.height < rules.target_px - 0.5) {
      const size = `${box.width.toFixed(0)} x ${box.height.toFixed(0)}`;
      problems.push(`target ${size} < ${rules.target_px}: ${name(element)}`);
    }
    if (element.scrollWidth > element.clientWidth + SLACK && element.tagName !== "SELECT") {
      problems.push(`words wider than their target: ${name(element)}`);
    }
    const inked = parseFloat(getComputedStyle(element).fontSize) * 0.3; // fonts reach over lines
    if (element.scrollHeight > element.clientHeight + inked && element.tagName === "BUTTON") {
      problems.push(`words taller than their target: ${name(element)}`);
    }
    for (let other = 0; other < index; other += 1) {
      const b = boxes[other];
      if (targets[other].contains(element) || element.contains(targets[other])) continue;
      if (box.left < b.right - SLACK && b.left < box.right - SLACK &&
          box.top < b.bottom - SLACK && b.top < box.bottom - SLACK) {
        problems.push(`targets overlap: ${name(element)} and ${name(targets[other])}`);
      }
    }
  });

  if (document.documentElement.scrollWidth > wide + SLACK) {
    problems.push(`the page is ${document.documentElement.scrollWidth} px wide in ${wide}`);
  }
  if (!rules.scrolls && document.documentElement.scrollHeight > high + SLACK) {
    problems.push(`the page is ${document.documentElement.scrollHeight} px high in ${high}`);
  }
  for (const element of rules.scrolls ? [] : document.querySelectorAll("body *")) {
    const more = element.scrollHeight - element.clientHeight;
    if (more > 1 && getComputedStyle(element).overflowY === "auto") {
      problems.push(`${more} px are seen only by scrolling: ${name(element)}`);
    }
  }

  for (const element of document.querySelectorAll("img, svg, canvas, video, iframe, button")) {
    const box = element.getBoundingClientRect();
    if (isSeen(element) && box.width) painted.push([box.top, box.bottom]);
  }
  const bottom = rules.scrolls ? Math.min(high, document.documentElement.scrollHeight) : high;
  let reached = 0;
  let emptiest = 0;
  for (const [top, end] of painted.sort((a, b) => a[0] - b[0])) {
    if (top > bottom) break;
    emptiest = Math.max(emptiest, top - reached);
    reached = Math.max(reached, end);
  }
  emptiest = Math.max(emptiest, bottom - Math.max(reached, 0));
  if (emptiest > rules.band * high) {
    problems.push(`${emptiest.toFixed(0)} of ${high} px are empty in one piece`);
  }
  return [...new Set(problems)];
}
