/** Where an extension such as `x506` or ` ext. 12` ends, `end` itself when there is none, -1 when the text ends too early. */
export const extensionEnd = (text: string, end: number, final: boolean): number => {
	const rest = text.slice(end, end + 15);
	if (!final && end + 15 > text.length && /^(?: ?(?:x|e|ex|ext|ext\.)? ?\d*)$/i.test(rest)) {
		return -1;
	}

	const extension = /^(?:x| x| ?ext\.? ?)\d{1,7}(?!\w)/i.exec(rest);
	return extension === null ? end : end + extension[0].length;
};

const label = /^(?: ?-? ?| ?\()(?:office|fax|mobile|cell|home|work|tel|phone)\b/i;
const longestLabel = 11;

/** Whether a word for a phone follows the number, as in `50 98 28 96 (mobile)`; undefined when the text ends too early. */
export const isLabelled = (text: string, end: number, final: boolean): boolean | undefined => {
	const rest = text.slice(end, end + longestLabel);
	if (!final && end + longestLabel > text.length && /^[ (-]{0,3}[a-z]*$/i.test(rest)) return;
	return label.test(rest);
};
