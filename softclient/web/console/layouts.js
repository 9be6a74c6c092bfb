// Geometry of the mixer's layouts on a small grid: columns, rows, then x y w h of each cell. The same rows stand in
// mcu/mix/layouts.def; a test compares them.

/** @param {number} columns @param {number} rows @returns {[number, number, number[][]]} */
function even(columns, rows) {
	return [columns, rows, Array.from({ length: columns * rows }, (_, n) => [n % columns, Math.floor(n / columns), 1, 1])];
}

/** @type {Record<string, [number, number, number[][]]>} */
export const layouts = {
	'1': even(1, 1),
	'2': [2, 4, [[0, 1, 1, 2], [1, 1, 1, 2]]],
	'3': [4, 4, [[1, 0, 2, 2], [0, 2, 2, 2], [2, 2, 2, 2]]],
	'4': even(2, 2),
	'5+1': [3, 3, [[0, 0, 2, 2], [2, 0, 1, 1], [2, 1, 1, 1], [0, 2, 1, 1], [1, 2, 1, 1], [2, 2, 1, 1]]],
	'7+1': [4, 4, [[0, 0, 3, 3], [3, 0, 1, 1], [3, 1, 1, 1], [3, 2, 1, 1], [0, 3, 1, 1], [1, 3, 1, 1], [2, 3, 1, 1], [3, 3, 1, 1]]],
	'8+2': [4, 4, [[0, 0, 2, 2], [2, 0, 2, 2], [0, 2, 1, 1], [1, 2, 1, 1], [2, 2, 1, 1], [3, 2, 1, 1], [0, 3, 1, 1], [1, 3, 1, 1], [2, 3, 1, 1], [3, 3, 1, 1]]],
	'9': even(3, 3),
	'12+1': [4, 4, [[1, 1, 2, 2], [0, 0, 1, 1], [1, 0, 1, 1], [2, 0, 1, 1], [3, 0, 1, 1], [0, 1, 1, 1], [3, 1, 1, 1], [0, 2, 1, 1], [3, 2, 1, 1],
		[0, 3, 1, 1], [1, 3, 1, 1], [2, 3, 1, 1], [3, 3, 1, 1]]],
	'16': even(4, 4),
	'25': even(5, 5),
	'pip': [16, 16, [[0, 0, 16, 16], [11, 11, 4, 4]]],
};

/** Place of a cell in parts of the whole, for CSS. @param {string} layout @param {number} cell */
export function placeOf(layout, cell) {
	const [columns, rows, cells] = layouts[layout] ?? layouts['1'];
	const [x, y, w, h] = cells[cell] ?? [0, 0, columns, rows];
	const part = (/** @type {number} */ n, /** @type {number} */ of) => `${Number(((100 * n) / of).toFixed(3))}%`;
	return { left: part(x, columns), top: part(y, rows), width: part(w, columns), height: part(h, rows) };
}
