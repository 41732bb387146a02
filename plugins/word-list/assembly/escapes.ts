// Valid as TypeScript and as AssemblyScript.

const backslash = 0x5c;
/** More of them before an escape are nobody's JSON. */
const mostBackslashes = 63;

function isHex(unit: i32): bool {
	return (unit >= 0x30 && unit <= 0x39) || ((unit | 0x20) >= 0x61 && (unit | 0x20) <= 0x66);
}

/** Where the escape of JSON ends whose letter is at `at`; 0 where that is none. */
export function afterEscape(text: string, at: i32): i32 {
	if (at == 0 || text.charCodeAt(at - 1) != backslash) return 0;
	const letter = text.charCodeAt(at);
	if (letter == 0x6e || letter == 0x72 || letter == 0x74 || letter == 0x62 || letter == 0x66) return at + 1;
	if (letter != 0x75 || at + 4 >= text.length) return 0;
	for (let digit = at + 1; digit < at + 5; digit++) if (!isHex(text.charCodeAt(digit))) return 0;
	return at + 5;
}

/** Where the backslashes begin that end at `at`, `from` at the earliest. */
export function beforeBackslashes(text: string, at: i32, from: i32): i32 {
	const least = max(from, at - mostBackslashes);
	let start = at;
	while (start > least && text.charCodeAt(start - 1) == backslash) start--;
	return start;
}
