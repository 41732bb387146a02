import {capitals, digits, hex, mixed, pick, type Random} from './own-numbers.ts';

const base64 = (random: Random, length: number): string => mixed(random, length).replace(/^../, 'MI');

/** Keys of kinds, drawn anew each time: none opens anything, and no text here has the shape of one. */
export const keys: ReadonlyArray<(random: Random) => string> = [
	random => `sk-ant-api03-${mixed(random, 80)}`,
	random => `sk-proj-${mixed(random, 64)}`,
	random => `AKIA${capitals(random, 12)}${pick(random, ['2', '5'])}${capitals(random, 3)}`,
	random => `ghp_${mixed(random, 36)}`,
	random => `github_pat_${mixed(random, 22)}_${mixed(random, 59)}`,
	random => `glpat-${mixed(random, 20)}`,
	random => `xoxb-${digits(random, 11)}-${digits(random, 12)}-${mixed(random, 24)}`,
	random => `npm_${mixed(random, 36)}`,
	random => `sk_live_${mixed(random, 24)}`,
	random => `SG.${mixed(random, 22)}.${mixed(random, 43)}`,
	random => `AIza${mixed(random, 35)}`,
	random => `hf_${mixed(random, 34)}`,
	random => `dop_v1_${hex(random, 64)}`,
	random => `pypi-AgEIcHlwaS5vcmc${mixed(random, 90)}`,
	random => `eyJhbGciOi${mixed(random, 20)}.eyJzdWIi${mixed(random, 60)}.${mixed(random, 43)}`,
	random =>
		`-----BEGIN ${pick(random, ['RSA ', 'EC ', ''])}PRIVATE KEY-----\n${base64(random, 64)}\n${base64(random, 40)}\n-----END PRIVATE KEY-----`,
	random => `postgresql://${pick(random, ['app', 'svc_billing'])}:${mixed(random, 16)}@pg-7.corp.example:5432/orders`,
	random => `https://hooks.slack.com/services/T${capitals(random, 8)}/B${capitals(random, 8)}/${mixed(random, 24)}`,
];

/** Sentences with a value that only its name tells to be secret, at `{}`. */
export const namedSecrets: ReadonlyArray<readonly [sentence: string, make: (random: Random) => string]> = [
	['DEPLOY_TOKEN={} ./release.sh', random => hex(random, 40)],
	['"apiSecret": "{}",', random => mixed(random, 32)],
	['  password: {}', random => `${mixed(random, 6)}${pick(random, ['!', '#', '%'])}${digits(random, 3)}`],
	["curl -s -H 'Authorization: Bearer {}' https://api.corp.example/v2/me", random => mixed(random, 40)],
	['<client-secret>{}</client-secret>', random => mixed(random, 30)],
	['the wifi pw is {} (guest)', random => `${mixed(random, 7)}${pick(random, ['!', '?', '%'])}${digits(random, 2)}`],
	['login: admin / {}', random => `${mixed(random, 9)}!`],
	['Mein Passwort lautet {}', random => `${mixed(random, 8)}${pick(random, ['!', '#'])}${digits(random, 2)}`],
	['session_token {} expires at noon', random => hex(random, 40)],
	['export SIGNING_KEY="{}"', random => hex(random, 64)],
];

/** Sentences around a key, at `{}`. */
export const aroundKeys: readonly string[] = [
	'Could you see why {} is refused since noon?',
	'I pasted the wrong thing, it was {} sorry',
	'The pipeline prints {} in step four and then stops.',
	'{"note": "rotate this", "value": "{}"}',
	'  - run: login --with {}',
	'Der Schlüssel lautet {} und gilt bis Montag.',
	'2026-03-04T11:20:31Z WARN retry with {} failed',
	'la clave que tenemos es {} y ya no sirve',
];

/** What looks like a key to somebody in a hurry. */
export const noKeys: ReadonlyArray<(random: Random) => string> = [
	random => `Merged in ${hex(random, 40)} last night.`,
	random => `"integrity": "sha512-${mixed(random, 86)}=="`,
	random => `request ${hex(random, 8)}-${hex(random, 4)}-4${hex(random, 3)}-a${hex(random, 3)}-${hex(random, 12)} took 31 ms`,
	() => `Set OPENAI_API_KEY to your-api-key-here and start the server.`,
	() => `password: $${'{DB_PASSWORD}'}`,
	() => `const token = await readToken(request.headers.authorization);`,
	() => `The secret of a good stew is patience, and the key is low heat.`,
	random => `docker pull registry.example/app@sha256:${hex(random, 64)}`,
	random => `background: url(data:image/png;base64,iVBORw0KGgo${mixed(random, 120)})`,
	() => `api_key: <paste it here>`,
	() => `primary_key="customer_account_id", sort_key="created_at_month"`,
	() => `max_tokens=4096, token_type=bearer, expires_in=3600`,
	random => `ETag: W/"${hex(random, 32)}"`,
	() => `def test_password_reset_token_expires_after_one_hour():`,
];
