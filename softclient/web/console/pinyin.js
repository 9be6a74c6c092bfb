// Search by pinyin initials: "etk" finds a place written with three characters. No table of 20,000 characters: the browser
// sorts Chinese by pinyin, so a character's initial is that of the last border before it. A few characters of names have two
// readings; official Latin spellings of the region's places are aliases.

/** First character of each initial in the order of pinyin. */
const borders = ['阿', '八', '嚓', '咑', '妸', '发', '旮', '哈', '丌', '咔', '垃', '妈', '拏', '噢', '妑', '七', '呥', '仨', '他', '屲', '夕', '丫', '帀']; // data-cjk
const initials = 'abcdefghjklmnopqrstwxyz';
/** Characters of names with another reading than the sorted one. @type {Record<string, string>} */
const double = { 重: 'zc', 长: 'cz', 乐: 'ly', 单: 'sd', 厦: 'xs', 查: 'cz', 召: 'zs', 会: 'hk', 朝: 'cz', 曾: 'zc', 解: 'jx', 仇: 'qc', 覃: 'qt', 行: 'xh', 尉: 'wy', 石: 'sd', 盖: 'gg', 都: 'd', 藏: 'zc', 莎: 'ss', 区: 'qo', 柏: 'b', 秘: 'mb', 万: 'wm' }; // data-cjk
/** @type {[string, string][]} */
const aliases = [
	['鄂尔多斯', 'ordos'], ['鄂托克', 'otog'], ['乌审', 'uxin'], ['伊金霍洛', 'ejin horo'], ['准格尔', 'jungar'], ['达拉特', 'dalad'], // data-cjk
	['杭锦', 'hanggin'], ['康巴什', 'kangbashi'], ['东胜', 'dongsheng'], ['呼和浩特', 'hohhot'], ['包头', 'baotou'], ['阿拉善', 'alxa'], // data-cjk
	['呼伦贝尔', 'hulunbuir'], ['锡林郭勒', 'xilingol'], ['乌兰察布', 'ulanqab'], ['巴彦淖尔', 'bayannur'], ['通辽', 'tongliao'], ['赤峰', 'chifeng'], // data-cjk
	['兴安', 'hinggan'], ['乌海', 'wuhai'], ['满洲里', 'manzhouli'], ['二连浩特', 'erenhot'], // data-cjk
];
const order = new Intl.Collator('zh-CN-u-co-pinyin');
/** @type {Map<string, string>} */
const known = new Map();

/** The possible initials of one character; itself when it is not Chinese. @param {string} c */
function letters(c) {
	let found = known.get(c);
	if (found === undefined) {
		const after = borders.findIndex((b) => order.compare(b, c) > 0);
		found = double[c] ?? (/\p{Script=Han}/u.test(c) ? initials[Math.max(0, (after < 0 ? borders.length : after) - 1)] : c.toLowerCase());
		known.set(c, found);
	}
	return found;
}

/** Initials of a text, each as the set of what it may be. @param {string} text */
function spell(text) {
	return [...text].filter((c) => !/\s/.test(c)).map(letters);
}

/** @param {string} text @param {string} word */
function spellsFrom(text, word) {
	const spelt = spell(text);
	for (let from = 0; from + word.length <= spelt.length; from++) {
		if ([...word].every((c, n) => spelt[from + n].includes(c))) {
			return true;
		}
	}
	return false;
}

/** Does a text contain the words: as written, by its pinyin initials, or by an official Latin name? @param {string} text @param {string} query */
export function matchesText(text, query) {
	const plain = text.toLowerCase();
	return query.trim().toLowerCase().split(/\s+/).every((word) => plain.includes(word)
		|| (/^[a-z]+$/.test(word) && (spellsFrom(text, word) || aliases.some(([name, latin]) => latin.startsWith(word) && word.length > 2 && text.includes(name)))));
}
