// Incident reports as the pages see them.
declare namespace Ortoo {
	interface ReportDeadline {
		row: string; kind: 'first' | 'followup' | 'final'; spoken: boolean; clause: string; from_ms: number; warn_ms: number; due_ms: number; done_ms: number;
		state: 'running' | 'warning' | 'over' | 'met' | 'late';
	}
	interface Report {
		id: string; incident: string; kind: 'first' | 'followup' | 'final'; spoken: boolean; nr: number; at_ms: number; by: string; time_ms: number; place: string; what: string;
		dead: number; missing: number; injured: number; casualties: string; measures: string; contact: string; contact_phone: string; cause: string; told_by: string; told_to: string;
		recipients: { name: string; receipt_ms: number; receipt_by: string | null }[];
	}
	interface ReportSheet { incident: string; level: number; drill: boolean; closed_ms: number; deadlines: ReportDeadline[]; reports: Report[] }
	interface ReportPaper extends Report {
		number: number; incident_kind: string; incident_place: string; level: number; drill: boolean; t0_ms: number; closed_ms: number; issued_ms: number; node: string;
		log_head: { seq: number; hash: string }; log_signature: unknown; public_key?: string;
	}
}
