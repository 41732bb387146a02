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

/** What a piece of a text says in base64, in hexadecimal digits or with % signs, as far as it reads as text. */
export class Payloads {
	units: Uint16Array;
	length: i32 = 0;

	constructor(most: i32) {
		this.units = new Uint16Array(most);
	}

	/** Gathers what is written in base64, in hexadecimal digits or with % signs, if it reads as text. */
	read(text: string, from: i32, to: i32): void {
		this.length = 0;
		let start = from;
		let hexes = 0;
		for (let at = from; at <= to; at++) {
			const unit = at < to ? text.charCodeAt(at) : 0;
			if (unit == 0x25 && at + 2 < to && hexValue(text.charCodeAt(at + 1)) >= 0) {
				const end = this.percents(text, at, to);
				if (end > at) {
					at = end;
					start = at + 1;
					hexes = 0;
					continue;
				}
			}
			if (base64Value(unit) >= 0) {
				if (hexValue(unit) >= 0) hexes++;
				continue;
			}
			const size = at - start;
			if (size >= 20 && hexes == size) this.bytes(text, start, at, true);
			else if (size >= 20) this.bytes(text, start, at, false);
			start = at + 1;
			hexes = 0;
		}
	}

	/** Decodes a run that has three %XX at least; answers where it ends, or `at`. */
	private percents(text: string, at: i32, to: i32): i32 {
		const before = this.length;
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
		if (this.length < this.units.length) this.units[this.length++] = unit;
	}

	private bytes(text: string, from: i32, to: i32, hex: bool): void {
		const before = this.length;
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
