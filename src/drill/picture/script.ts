/** What the page does beyond being read: a search in the timeline, and the time under the pointer. It needs neither to be read. */
export const SCRIPT = `
for (const search of document.querySelectorAll('.search')) {
  const lines = [...search.parentElement.querySelectorAll('.timeline li')];
  const count = search.querySelector('output');
  search.hidden = false;
  search.querySelector('input').addEventListener('input', ({ target }) => {
    const words = target.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let shown = 0;
    for (const line of lines) {
      const text = line.textContent.toLowerCase();
      line.hidden = !words.every((word) => text.includes(word));
      if (!line.hidden) shown++;
    }
    count.textContent = words.length === 0 ? '' : shown + ' of ' + lines.length + ' lines';
  });
}
for (const plot of document.querySelectorAll('.plot svg')) {
  const make = (name) => plot.appendChild(document.createElementNS('http://www.w3.org/2000/svg', name));
  const cursor = make('g');
  const line = cursor.appendChild(make('line'));
  const text = cursor.appendChild(make('text'));
  const [from, to] = [Number(plot.dataset.from), Number(plot.dataset.to)];
  const { width, height } = plot.viewBox.baseVal;
  cursor.setAttribute('class', 'cursor');
  cursor.setAttribute('pointer-events', 'none');
  line.setAttribute('y2', height);
  text.setAttribute('y', height - 8);
  const hide = () => cursor.setAttribute('visibility', 'hidden');
  hide();
  plot.addEventListener('pointerleave', hide);
  plot.addEventListener('pointermove', (event) => {
    const box = plot.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * width;
    cursor.setAttribute('visibility', 'visible');
    line.setAttribute('x1', x);
    line.setAttribute('x2', x);
    const late = x > width - 80;
    text.setAttribute('x', x + (late ? -6 : 6));
    text.setAttribute('text-anchor', late ? 'end' : 'start');
    text.textContent = ((from + ((to - from) * x) / width) / 1000).toFixed(3) + ' s';
  });
}
`;
