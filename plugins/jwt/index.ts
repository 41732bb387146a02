import {definePlugin, deny, type Host, identify} from '../../plugin-sdk/index.ts';
import {against, isRefusal, principalOf, type Refused} from './claims.ts';
import {type Config, config} from './config.ts';
import {decode, type Token} from './decode.ts';
import {areKept, knownKeys, newerKeys, onOtherKeys} from './keys.ts';

type Good = {verdict: ReturnType<typeof identify>; end: number};

/** Tokens that were checked, by their hash and the door, until they end. The oldest make room. */
const checked = new Map<string, Good>();
const mostChecked = 10_000;
onOtherKeys(() => checked.clear());

const refusal = ({code, message}: Refused) => deny({code, message});

type Keys = Awaited<ReturnType<typeof knownKeys>>;

/** The keys with one of which the issuer signed it, if it did; it is asked anew when it seems to have others. */
const signedBy = async (jws: string, lent: Host<Config>): Promise<Keys | undefined> => {
	const {algorithms} = lent.config;
	const check = async (keys: Keys) => {
		const {value, error} = await lent.crypto.verify({jws, keys, algorithms});
		if (error) throw new Error(error.message);
		return value;
	};
	const keys = await knownKeys(lent);
	const first = await check(keys);
	if (first !== 'unknown key') return first === 'yes' ? keys : undefined;
	const newer = await newerKeys(lent);
	return newer !== keys && (await check(newer)) === 'yes' ? newer : undefined;
};

type Shown = {token: string; sha256: string; resource?: string};

/** A token that is good at one door need not be at another. */
const placeOf = ({sha256, resource}: Shown): string => `${sha256} ${resource ?? ''}`;

const judged = async (shown: Shown, said: Token, lent: Host<Config>) => {
	const {token, resource} = shown;
	const keys = await signedBy(token, lent);
	if (!keys) return deny({code: 'unauthenticated', message: 'This token was not signed by its issuer.'});
	const refused = against(said, lent.config, lent.clock.now(), resource);
	if (refused) return refusal(refused);
	const principal = principalOf(said.payload, lent.config);
	if (isRefusal(principal)) return refusal(principal);
	const good = {verdict: identify(principal), end: principal.expiresAt!};
	// The issuer may have taken the key back meanwhile.
	if (keys !== (await knownKeys(lent))) return judged(shown, said, lent);
	if (checked.size >= mostChecked) checked.delete(checked.keys().next().value!);
	checked.set(placeOf(shown), good);
	return good.verdict;
};

export default definePlugin({
	config,

	hooks: {
		/** Says whose token this is, or why it is not good; what is no JWT, or one of another issuer, is left to other plugins. */
		'pre-auth'({credential: {token, sha256}, resource}, lent) {
			if (token === undefined || sha256 === undefined) return undefined;
			const shown = {token, sha256, resource};
			const place = placeOf(shown);
			const known = checked.get(place);
			if (known && known.end > lent.clock.now() && areKept(lent)) return known.verdict;
			checked.delete(place);
			const said = decode(token);
			// What it says is not believed before its signature is checked; only whose business it is.
			return said?.payload.iss === lent.config.issuer ? judged(shown, said, lent) : undefined;
		},
	},
});
