// @ts-nocheck: AssemblyScript, whose arrays have no undefined; Node runs it as it is

function base64Value(unit: i32): i32 {
	if (unit >= 0x41 && unit <= 0x5a) return unit - 0x41;
	if (unit >= 0x61 && unit <= 0x7a) return unit - 71;
	if (unit >= 0x30 && unit <= 0x39) return unit + 4;
	if (unit == 0x2b || unit == 0x2d) return 62;
	return unit == 0x2f || unit == 0x5f ? 63 : -1;
}

function hexValue(unit: i32): i32 {
	if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
	if (unit >= 0x41 && unit <= 0x46) return unit - 0x37;
	return unit >= 0x61 && unit <= 0x66 ? unit - 0x57 : -1;
}

/** What is shorter is a word. */
const shortest = 20;

/** What a piece of a text says in base64, in hexadecimal digits or with % signs, as far as it reads as text. */
export class Payloads {
	units: Uint16Array;
	/** By unit: where what it was decoded of begins in the text. */
	origins: Int32Array;
	length: i32 = 0;
	private origin: i32 = 0;
	/** Which units of ASCII base64 is written with; hexadecimal digits are among them. */
	private kinds: Uint8Array = new Uint8Array(128);

	constructor(most: i32) {
		this.units = new Uint16Array(most);
		this.origins = new Int32Array(most);
		for (let unit = 0; unit < 128; unit++) if (base64Value(unit) >= 0) this.kinds[unit] = hexValue(unit) >= 0 ? 2 : 1;
	}

	/** Gathers what is written in base64, in hexadecimal digits or, where there are any, with % signs, if it reads as text. */
	read(text: string, from: i32, to: i32, percents: bool): void {
		this.length = 0;
		if (percents) {
			for (let at = from; at + 2 < to; at++) {
				if (text.charCodeAt(at) == 0x25 && hexValue(text.charCodeAt(at + 1)) >= 0) at = this.percents(text, at, to);
			}
		}
		// A run of `shortest` units covers one place in as many.
		let floor = from;
		for (let at = from + shortest - 1; at < to; at += shortest) {
			if (this.kind(text, at) == 0) continue;
			let start = at;
			while (start > floor && this.kind(text, start - 1) != 0) start--;
			let end = at + 1;
			while (end < to && this.kind(text, end) != 0) end++;
			if (end - start >= shortest) this.bytes(text, start, end, this.isHex(text, start, end));
			floor = end;
			if (end > at + 1) at = end - 1;
		}
	}

	private kind(text: string, at: i32): i32 {
		const unit = text.charCodeAt(at);
		return unit < 128 ? this.kinds[unit] : 0;
	}

	private isHex(text: string, from: i32, to: i32): bool {
		for (let at = from; at < to; at++) if (this.kind(text, at) != 2) return false;
		return true;
	}

	/** Decodes a run that has three %XX at least; answers where it ends, or `at`. */
	private percents(text: string, at: i32, to: i32): i32 {
		const before = this.length;
		this.origin = at;
		let signs = 0;
		let end = at;
		while (end < to) {
			let unit = text.charCodeAt(end);
			if (unit <= 32 || unit == 0x22 || unit > 0x7e) break;
			if (unit == 0x25 && end + 2 < to) {
				const value = hexValue(text.charCodeAt(end + 1)) * 16 + hexValue(text.charCodeAt(end + 2));
				if (value < 0) break;
				unit = value;
				signs++;
				end += 2;
			}
			end++;
			this.keep(unit);
		}
		this.keep(10);
		if (signs >= 3) return end - 1;
		this.length = before;
		return at;
	}

	private keep(unit: i32): void {
		if (this.length >= this.units.length) return;
		this.origins[this.length] = this.origin;
		this.units[this.length++] = unit;
	}

	private bytes(text: string, from: i32, to: i32, hex: bool): void {
		const before = this.length;
		this.origin = from;
		let bits = 0;
		let held = 0;
		let odd = 0;
		let letters = 0;
		for (let at = from; at < to; at++) {
			const unit = text.charCodeAt(at);
			held = ((held << (hex ? 4 : 6)) | (hex ? hexValue(unit) : base64Value(unit))) & 0xffff;
			bits += hex ? 4 : 6;
			if (bits < 8) continue;
			bits -= 8;
			const byte = (held >> bits) & 0xff;
			if ((byte >= 0x61 && byte <= 0x7a) || byte == 32) letters++;
			else if (byte > 0x7e || byte < 9 || (byte > 13 && byte < 32)) odd++;
			this.keep(byte);
			// What is no text shows it early; the rest need not be looked at.
			if (at == from + 64 && odd * 8 > 48) break;
		}
		const size = this.length - before;
		this.keep(10);
		if (odd * 12 > size || letters * 2 < size) this.length = before;
	}
}
