// @ts-nocheck: AssemblyScript, whose arrays have no undefined; Node runs it as it is
// Runs as TypeScript and as AssemblyScript: integers fit 32 bits in both, and products stay below 2^53.

const latin: string =
	'àaáaâaãaäaåaāaăaąaçcćcĉcċcčcďdđdèeéeêeëeēeĕeėeęeěeĝgğgġgģgĥhħhìiíiîiïiĩiīiĭiįiıiĵjķkĺlļlľlłlñnńnņnňnòoóoôoõoöoøoōoŏoőoŕrŗrřrśsŝsşsšsșsţtťtțtùuúuûuüuũuūuŭuůuűuųuưuơoŵwýyÿyŷyźzżzžz';
const lookAlikes: string =
	'аaвbсcеeнhіiјjкkмmоoрpтtуyхxѕsԁdԛqԝwһhɡgαaβbεeιiκkνvοoρpτtυuχxηnωw';

/** What a folded unit is: nothing, something between words, a letter or digit, or a letter of a script without spaces. */
export const gone: i32 = 0;
export const space: i32 = 32;

/** Folds UTF-16 units: case, accents, width, circled letters. */
export class Letters {
	folds: Uint16Array = new Uint16Array(0x10000);
	plain: Uint16Array = new Uint16Array(0x10000);

	constructor() {
		for (let unit = 0; unit < 0x10000; unit++) this.folds[unit] = unit;
		for (let unit = 0; unit < 32; unit++) this.folds[unit] = space;
		this.shift(0x41, 0x5a, 32);
		this.shift(0xc0, 0xde, 32);
		this.shift(0x391, 0x3a9, 32);
		this.shift(0x410, 0x42f, 32);
		this.shift(0x400, 0x40f, 80);
		this.shift(0x531, 0x556, 48);
		this.folds[0x130] = 0x69;
		this.folds[0x3c2] = 0x3c3;
		this.folds[0x451] = 0x435;
		for (let unit = 0xff01; unit < 0xff5f; unit++) this.folds[unit] = unit - 0xfee0;
		this.shift(0xff21, 0xff3a, 32 - 0xfee0);
		this.shift(0x24b6, 0x24cf, 0x61 - 0x24b6);
		this.shift(0x24d0, 0x24e9, 0x61 - 0x24d0);
		this.folds[0x622] = 0x627;
		this.folds[0x623] = 0x627;
		this.folds[0x625] = 0x627;
		this.folds[0x3000] = space;
		this.folds[0xa0] = space;
		this.folds[0x2018] = 0x27;
		this.folds[0x2019] = 0x27;
		for (let at = 0; at + 1 < latin.length; at += 2) {
			const from = latin.charCodeAt(at);
			this.folds[from] = latin.charCodeAt(at + 1);
			const upper = from == 0xff ? 0x178 : from < 0x100 ? from - 32 : from - 1;
			this.folds[upper] = latin.charCodeAt(at + 1);
		}
		this.vietnamese();
		for (let unit = 0x300; unit < 0x370; unit++) this.folds[unit] = gone;
		for (let unit = 0x64b; unit < 0x660; unit++) this.folds[unit] = gone;
		for (let unit = 0x200b; unit < 0x2010; unit++) this.folds[unit] = gone;
		for (let unit = 0x202a; unit < 0x202f; unit++) this.folds[unit] = gone;
		for (let unit = 0x2060; unit < 0x2070; unit++) this.folds[unit] = gone;
		for (let unit = 0xfe00; unit < 0xfe10; unit++) this.folds[unit] = gone;
		this.folds[0xfeff] = gone;
		this.folds[0xad] = gone;
		this.folds[0x640] = gone;
		this.folds[0x180e] = gone;
		for (let at = 0; at + 1 < lookAlikes.length; at += 2) this.plain[lookAlikes.charCodeAt(at)] = lookAlikes.charCodeAt(at + 1);
	}

	private shift(first: i32, last: i32, by: i32): void {
		for (let unit = first; unit <= last; unit++) if (unit != 0xd7) this.folds[unit] = unit + by;
	}

	/** Letters with two marks, in the block's own order. */
	private vietnamese(): void {
		const bases = 'aaaaaaaaaaaaeeeeeeeeiioooooooooooouuuuuuuyyyy';
		for (let unit = 0x1ea0; unit < 0x1efa; unit++) this.folds[unit] = bases.charCodeAt((unit - 0x1ea0) >> 1);
	}
}

/** Whether a folded unit belongs to a word. */
export function isLetter(unit: i32): bool {
	if (unit < 0x80) return (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x30 && unit <= 0x39);
	if (unit < 0xc0) return unit == 0xb5 || unit == 0xaa || unit == 0xba;
	if (unit < 0x2000) return unit != 0xd7 && unit != 0xf7 && unit != 0x60c && unit != 0x61b && unit != 0x61f && unit != 0x964;
	if (unit < 0x2c00) return false;
	if (unit < 0x3041) return unit >= 0x2e80 && unit < 0x3000;
	if (unit >= 0xd800 && unit < 0xf900) return false;
	return unit < 0xfe10 || (unit >= 0xfe70 && unit < 0xff00) || unit >= 0xff66;
}

/** Whether a folded unit is a word's length of its own, since its script has no spaces. */
export function isUnspaced(unit: i32): bool {
	return unit >= 0xe00 && ((unit < 0x1000) || (unit >= 0x2e80 && unit < 0xa000) || (unit >= 0xf900 && unit < 0xfb00));
}
