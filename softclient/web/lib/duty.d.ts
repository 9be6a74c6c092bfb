// Objects of duty as the pages see them.
declare namespace Ortoo {
	interface DutyPerson { id: string; name: string; title: string; phone: string }
	interface DutyShift { name: string; from_min: number; to_min: number }
	interface DutyCell { day: string; shift: string; people: DutyPerson[]; leader: DutyPerson | null; inherited: boolean }
	interface DutyPlace {
		place: string; name: string; division: string | null; filled: number; wanted: number; state: 'complete' | 'open' | 'due' | 'overdue'; cells: DutyCell[];
	}
	interface DutyMonth { month: string; days: number; today: string; due_ms: number; remind_ms: number; shifts: DutyShift[]; places: DutyPlace[] }
	interface DutyNow {
		place: string; name: string; division: string | null; shift: string; from_ms: number; to_ms: number; people: DutyPerson[]; leader: DutyPerson | null;
		roster_of: string | null; watch: { person: string | null; name: string; since_ms: number } | null;
	}
	interface DutyAlarm {
		key: string; kind: string; cls: 1 | 2 | 3; division: string | null; division_name: string; incident: string | null; subject: string; n: number;
		raised_ms: number; acked_ms: number; acked_by: string | null; stands: boolean; may_carry?: boolean;
	}
	interface Handover {
		id: string; place: string | null; state: 'open' | 'done' | 'cancelled'; from: string | null; from_name: string; to: string | null; to_name: string; notes: string;
		by: string; taken_by: string | null; begun_ms: number; done_ms: number; carried: { key: string; reason: string }[];
	}
	interface HandoverSheet {
		place: string | null; open: Handover | null; incidents: { id: string; number: number; kind: string; place: string; level: number; t0_ms: number; drill: boolean }[];
		alarms: DutyAlarm[]; history: Handover[];
	}
	interface WatchEntry { nr: number; at_ms: number; kind: string; type: string; actor: string; ref: string | null; title: string; person_name: string; body: any }
	interface ZeroPlace {
		place: string; name: string; division: string | null; state: 'on_time' | 'late' | 'waiting' | 'missing' | 'free'; nothing: boolean; text: string; by: string; at_ms: number;
	}
	interface ZeroDay { day: string; today: string; due_ms: number; missing: number; places: ZeroPlace[] }
	interface ZeroMonth { month: string; places: { place: string; name: string; on_time: number; late: number; missing: number }[] }
	interface Contact {
		person: string; name: string; division: string | null; division_name: string; title: string; phone: string;
		state: 'good' | 'stale' | 'never' | 'changed' | 'no_number'; verified_ms: number; verified_by: string | null;
	}
	interface Contacts { stale_days: number; due: number; people: Contact[] }
}
