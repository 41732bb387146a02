import {compactVerify, createLocalJWKSet, errors} from 'jose';
import * as z from 'zod';
import type {Signed} from '../../plugin-sdk/host.ts';

/** Signatures that whoever may check them cannot make: no `none`, and no HMAC, whose secret a public key could be taken for. */
const algorithm = z.enum([
	...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
	...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
]);

const mostKeys = 100;
/** Larger ones are nobody's, and take long to check with: RSA of 16,384 bits in base64url, with some room. */
const mostNumberChars = 2_800;
/** Keys that fit one signature equally well, because they have the same id or none. */
const mostTried = 8;

const publicKey = z.looseObject({
	kty: z.enum(['RSA', 'EC', 'OKP']),
	n: z.string().max(mostNumberChars).optional(),
	/** OpenSSL takes long over large exponents; 65537 is AQAB. */
	e: z.string().max(8).optional(),
	d: z.undefined().optional(),
});

export const verifying = z.strictObject({
	jws: z.string().max(20_000),
	keys: z.array(z.looseObject({kty: z.string()})).max(mostKeys),
	algorithms: z.array(algorithm).min(1).max(algorithm.options.length),
});

/** Whether one of several keys that fit made the signature. */
const anyOf = async (jws: string, several: errors.JWKSMultipleMatchingKeys, algorithms: string[]): Promise<Signed> => {
	let tried = 0;
	for await (const key of several) {
		if (++tried > mostTried) break;
		try {
			await compactVerify(jws, key, {algorithms});
			return 'yes';
		} catch (thrown) {
			if (!(thrown instanceof errors.JWSSignatureVerificationFailed)) return 'no';
		}
	}
	return 'no';
};

/**
 * Whether a JWS in compact form (RFC 7515) was signed with one of `keys`, public JWKs (RFC 7517), and one of `algorithms`. Keys that are
 * secret, private, too short or of another kind are as if they were not there. Never rejects for what the JWS says.
 */
export const signedBy = async ({jws, keys, algorithms}: z.output<typeof verifying>): Promise<Signed> => {
	const fit = keys.filter(key => publicKey.safeParse(key).success);
	try {
		await compactVerify(jws, createLocalJWKSet({keys: fit}), {algorithms});
		return 'yes';
	} catch (thrown) {
		if (thrown instanceof errors.JWKSNoMatchingKey) return 'unknown key';
		if (thrown instanceof errors.JWKSMultipleMatchingKeys) return anyOf(jws, thrown, algorithms);
		return 'no';
	}
};
