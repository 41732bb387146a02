import type {DetectorType} from './detectors/found.ts';
import {detectorTypes} from './detectors/found.ts';
import {type IdType, idTypes} from './ids/rule.ts';

/** What is found by the words around it, and by how streets are written. */
const peopleTypes = ['PERSON', 'ADDRESS'] as const;

/** Everything that can be found. */
export type Kind = DetectorType | IdType | (typeof peopleTypes)[number];

export const kinds: readonly Kind[] = [...detectorTypes, ...idTypes, ...peopleTypes];

const own = {
	email: ['EMAIL'],
	card: ['CARD'],
	iban: ['IBAN'],
	phone: ['PHONE'],
	'us-ssn': ['US_SSN'],
	ip: ['IP'],
	'api-key': ['API_KEY'],
	mac: ['MAC'],
	crypto: ['CRYPTO'],
	imei: ['IMEI'],
	'aba-routing': ['ABA_ROUTING'],
	dob: ['DOB'],
	passport: ['PASSPORT', 'DE_PASSPORT', 'KR_PASSPORT'],
	'driving-licence': ['DRIVER_LICENSE', 'UK_DRIVING_LICENCE', 'IT_DRIVER_LICENSE', 'KR_DRIVER_LICENSE'],
	'bank-account': ['BANK_ACCOUNT', 'UK_SORT_CODE'],
	vehicle: [
		'VEHICLE_REGISTRATION',
		'UK_VEHICLE_REGISTRATION',
		'IN_VEHICLE_REGISTRATION',
		'NG_VEHICLE_REGISTRATION',
		'TR_LICENSE_PLATE',
		'VIN',
	],
	postcode: ['UK_POSTCODE'],
	name: ['PERSON'],
	address: ['ADDRESS'],
} as const satisfies Record<string, readonly Kind[]>;

const named = new Set<Kind>(Object.values(own).flat());

/** What the config calls them. A national id is whatever a state numbers its people by. */
export const families: Readonly<Record<keyof typeof own | 'national-id', readonly Kind[]>> = {
	...own,
	'national-id': kinds.filter(kind => !named.has(kind)),
};

export type Family = keyof typeof families;

export const familyNames = Object.keys(families) as [Family, ...Family[]];

/** What is masked where the config names nothing: not what is found one time in ten. */
export const usualFamilies: readonly Family[] = familyNames.filter(name => name !== 'name' && name !== 'address');

export const familyOf: ReadonlyMap<string, Family> = new Map(
	familyNames.flatMap(name => families[name].map(kind => [kind, name] as const)),
);

export const isDetectorType = (kind: Kind): kind is DetectorType => detectorTypes.some(type => type === kind);
