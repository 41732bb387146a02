/** What comes out of guards: at once where all of them answer at once. A promise of one that nobody awaits any more is no accident. */
export type Piece = string | Promise<string>;

/** Whoever awaits it hears what went wrong; where an earlier piece has ended the answer, nobody does. */
export const heard = <T>(promise: Promise<T>): Promise<T> => {
	promise.catch(() => undefined);
	return promise;
};

export const whenThere = (piece: Piece, next: (text: string) => string): Piece =>
	typeof piece === 'string' ? next(piece) : heard(piece.then(next));

export const joined = (pieces: readonly Piece[]): Piece =>
	pieces.every(piece => typeof piece === 'string') ? pieces.join('') : heard(Promise.all(pieces).then(all => all.join('')));
