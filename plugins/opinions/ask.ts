import type {Host} from '../../plugin-sdk/index.ts';
import type {Piece} from './pieces.ts';
import {openRemembered} from './remembered.ts';
import type {Opinion, Shape} from './shapes.ts';

export type Asking = {
	/** One of the config's `grants.models`. */
	model: string;
	/** For all questions of one call together, which are asked at once. */
	timeMs: number;
	/** Most questions in one call. What is remembered needs none. */
	questions: number;
	rememberMs: number;
};

type Lent = Pick<Host<unknown>, 'models' | 'clock' | 'log' | 'metrics'>;

/** What was said of each piece, or why nothing was: `upstream_timeout`, `unreadable`, `too-long`. */
export type Heard = {piece: Piece; opinion: Opinion; failure?: undefined} | {piece: Piece; failure: string};

/** Most characters of one call that are looked at: a digest of each piece takes its time, and others wait for that. */
const mostChars = 200_000;

/** Asks for opinions, and remembers them: of the same text in the same channel, one tenant is told the same for a while. */
export const openOpinions = () => {
	const remembered = openRemembered();

	const asked = async (piece: Piece, name: string, shape: Shape, {model, timeMs, rememberMs}: Asking, lent: Lent): Promise<Heard> => {
		const {value, error} = await lent.models.ask({model, timeoutMs: timeMs, ...shape.question(piece.text, piece.channel)});
		const opinion = value && value.status < 300 ? shape.opinionIn(value.body) : undefined;
		if (!opinion) {
			lent.metrics.count('without_opinion');
			lent.log.warn('no opinion was to be had', {model, failure: error?.message ?? 'the answer is none', status: value?.status ?? 0});
			return {piece, failure: error?.code ?? 'unreadable'};
		}
		lent.metrics.count('opinions');
		remembered.put(name, opinion, lent.clock.now() + rememberMs);
		return {piece, opinion};
	};

	return async (pieces: readonly Piece[], shape: Shape, tenant: string | undefined, asking: Asking, lent: Lent): Promise<Heard[]> => {
		let left = asking.questions;
		let chars = 0;
		const now = lent.clock.now();
		return Promise.all(
			pieces.map((piece): Heard | Promise<Heard> => {
				chars += piece.text.length;
				if (chars > mostChars) return {piece, failure: 'too-long'};
				const name = remembered.nameOf(tenant ?? '', piece.channel, piece.text);
				const opinion = remembered.get(name, now);
				if (opinion) return {piece, opinion};
				if (left-- <= 0) return {piece, failure: 'too-long'};
				return asked(piece, name, shape, asking, lent);
			}),
		);
	};
};
