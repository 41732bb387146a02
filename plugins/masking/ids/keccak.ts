const rotations = [1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44];
const places = [10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1];

/** The constants of the rounds, high and low halves, from the shift register that FIPS 202 draws them from. */
const constants = (() => {
	const halves = new Uint32Array(48);
	let register = 1;
	for (let round = 0; round < 24; round++) {
		for (let power = 0; power < 7; power++) {
			if (register & 1) {
				const bit = 2 ** power - 1;
				if (bit < 32) halves[round * 2 + 1]! ^= 2 ** bit;
				else halves[round * 2]! ^= 2 ** (bit - 32);
			}
			register = register & 0x80 ? ((register << 1) ^ 0x171) & 0xff : register << 1;
		}
	}
	return Int32Array.from(halves, half => half | 0);
})();

/** Keccak-f[1600] on 25 lanes of 64 bits, each as a high and a low half. */
const permute = (high: Int32Array, low: Int32Array): void => {
	const columnHigh = new Int32Array(5);
	const columnLow = new Int32Array(5);
	for (let round = 0; round < 24; round++) {
		for (let x = 0; x < 5; x++) {
			columnHigh[x] = high[x]! ^ high[x + 5]! ^ high[x + 10]! ^ high[x + 15]! ^ high[x + 20]!;
			columnLow[x] = low[x]! ^ low[x + 5]! ^ low[x + 10]! ^ low[x + 15]! ^ low[x + 20]!;
		}
		for (let x = 0; x < 5; x++) {
			const before = x === 0 ? 4 : x - 1;
			const after = x === 4 ? 0 : x + 1;
			const mixHigh = columnHigh[before]! ^ ((columnHigh[after]! << 1) | (columnLow[after]! >>> 31));
			const mixLow = columnLow[before]! ^ ((columnLow[after]! << 1) | (columnHigh[after]! >>> 31));
			for (let y = x; y < 25; y += 5) {
				high[y] = high[y]! ^ mixHigh;
				low[y] = low[y]! ^ mixLow;
			}
		}
		let heldHigh = high[1]!;
		let heldLow = low[1]!;
		for (let step = 0; step < 24; step++) {
			const place = places[step]!;
			const rotation = rotations[step]!;
			const by = rotation & 31;
			const one = rotation < 32 ? heldHigh : heldLow;
			const two = rotation < 32 ? heldLow : heldHigh;
			heldHigh = high[place]!;
			heldLow = low[place]!;
			high[place] = (one << by) | (two >>> (32 - by));
			low[place] = (two << by) | (one >>> (32 - by));
		}
		for (let y = 0; y < 25; y += 5) {
			chi(high, y);
			chi(low, y);
		}
		high[0] = high[0]! ^ constants[round * 2]!;
		low[0] = low[0]! ^ constants[round * 2 + 1]!;
	}
};

const chi = (lanes: Int32Array, y: number): void => {
	const zero = lanes[y]!;
	const one = lanes[y + 1]!;
	const two = lanes[y + 2]!;
	const three = lanes[y + 3]!;
	const four = lanes[y + 4]!;
	lanes[y] = zero ^ (~one & two);
	lanes[y + 1] = one ^ (~two & three);
	lanes[y + 2] = two ^ (~three & four);
	lanes[y + 3] = three ^ (~four & zero);
	lanes[y + 4] = four ^ (~zero & one);
};

const rate = 136;

/** The first `size` half-bytes of Keccak-256 (as Ethereum has it, not SHA3-256) of at most 135 ASCII characters. */
export const keccakNibbles = (text: string, size: number): number[] => {
	const block = new Uint8Array(rate);
	for (let index = 0; index < text.length; index++) block[index] = text.charCodeAt(index);
	block[text.length] = 0x01;
	block[rate - 1]! |= 0x80;
	const view = new DataView(block.buffer);
	const high = new Int32Array(25);
	const low = new Int32Array(25);
	for (let lane = 0; lane < rate / 8; lane++) {
		low[lane] = view.getInt32(lane * 8, true);
		high[lane] = view.getInt32(lane * 8 + 4, true);
	}
	permute(high, low);
	return Array.from({length: size}, (_, index) => {
		const byte = index >> 1;
		const half = byte % 8 < 4 ? low[byte >> 3]! : high[byte >> 3]!;
		const value = (half >>> ((byte % 4) * 8)) & 0xff;
		return index % 2 === 0 ? value >> 4 : value & 15;
	});
};

/** EIP-55: whether 40 hexadecimal digits are in one case, or their capitals agree with the hash of the small ones. */
export const isChecksummed = (digits: string): boolean => {
	const small = digits.toLowerCase();
	if (digits === small || digits === digits.toUpperCase()) return true;
	const nibbles = keccakNibbles(small, 40);
	for (let index = 0; index < 40; index++) {
		const letter = small.charAt(index);
		const expected = letter > '9' && nibbles[index]! > 7 ? letter.toUpperCase() : letter;
		if (digits.charAt(index) !== expected) return false;
	}
	return true;
};
