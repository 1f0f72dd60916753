CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

INSERT INTO "alembic_version" VALUES('0006');

CREATE TABLE answers (
	project_id CHAR(32) NOT NULL,
	"key" BLOB NOT NULL,
	outcome BLOB NOT NULL,
	CONSTRAINT fk_answers_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE,
	CONSTRAINT pk_answers PRIMARY KEY (project_id, "key")
);

CREATE TABLE api_tokens (
	id CHAR(32) NOT NULL,
	user_id CHAR(32) NOT NULL,
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	digest BLOB NOT NULL,
	scopes JSON NOT NULL,
	created_at DATETIME NOT NULL,
	expires_at DATETIME,
	revoked_at DATETIME,
	last_used_at DATETIME,
	CONSTRAINT fk_api_tokens_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
	CONSTRAINT pk_api_tokens PRIMARY KEY (id)
);

CREATE TABLE artifacts (
	id CHAR(32) NOT NULL,
	experiment_id CHAR(32) NOT NULL,
	name TEXT NOT NULL,
	has_step BOOLEAN NOT NULL,
	step BIGINT NOT NULL,
	kind TEXT NOT NULL,
	media_type TEXT NOT NULL,
	digest BLOB NOT NULL,
	size BIGINT NOT NULL,
	metadata JSON NOT NULL,
	created_at DATETIME NOT NULL,
	created_by CHAR(32),
	CONSTRAINT fk_artifacts_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL,
	CONSTRAINT fk_artifacts_experiment_id_experiments FOREIGN KEY(experiment_id) REFERENCES experiments (id) ON DELETE CASCADE,
	CONSTRAINT pk_artifacts PRIMARY KEY (id),
	CONSTRAINT uq_artifacts_experiment_id_name_has_step_step UNIQUE (experiment_id, name, has_step, step)
);

CREATE TABLE attributes (
	experiment_id CHAR(32) NOT NULL,
	field_id INTEGER NOT NULL,
	type TEXT NOT NULL,
	number DOUBLE,
	text TEXT,
	CONSTRAINT fk_attributes_experiment_id_experiments FOREIGN KEY(experiment_id) REFERENCES experiments (id) ON DELETE CASCADE,
	CONSTRAINT fk_attributes_field_id_search_fields FOREIGN KEY(field_id) REFERENCES search_fields (id) ON DELETE CASCADE,
	CONSTRAINT pk_attributes PRIMARY KEY (experiment_id, field_id)
);

CREATE TABLE audit (
	number BIGINT NOT NULL,
	what TEXT NOT NULL,
	kind TEXT NOT NULL,
	"key" TEXT NOT NULL,
	at DATETIME NOT NULL,
	user_id CHAR(32),
	api_token_id CHAR(32),
	origin TEXT NOT NULL,
	outcome TEXT NOT NULL,
	project_id CHAR(32),
	team_id CHAR(32),
	detail JSON NOT NULL,
	digest BLOB NOT NULL,
	CONSTRAINT pk_audit PRIMARY KEY (number)
);

CREATE TABLE blob_uploads (
	digest BLOB NOT NULL,
	user_id CHAR(32) NOT NULL,
	at DATETIME NOT NULL,
	CONSTRAINT fk_blob_uploads_digest_blobs FOREIGN KEY(digest) REFERENCES blobs (digest) ON DELETE CASCADE,
	CONSTRAINT fk_blob_uploads_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
	CONSTRAINT pk_blob_uploads PRIMARY KEY (digest, user_id)
);

CREATE TABLE blobs (
	digest BLOB NOT NULL,
	size BIGINT,
	review_at DATETIME,
	CONSTRAINT pk_blobs PRIMARY KEY (digest)
);

CREATE TABLE branches (
	id CHAR(32) NOT NULL,
	experiment_id CHAR(32) NOT NULL,
	from_step BIGINT NOT NULL,
	made_at DATETIME NOT NULL,
	made_by CHAR(32),
	is_made BOOLEAN NOT NULL,
	"values" JSON NOT NULL,
	CONSTRAINT fk_branches_experiment_id_experiments FOREIGN KEY(experiment_id) REFERENCES experiments (id) ON DELETE CASCADE,
	CONSTRAINT fk_branches_made_by_users FOREIGN KEY(made_by) REFERENCES users (id) ON DELETE SET NULL,
	CONSTRAINT pk_branches PRIMARY KEY (id)
);

CREATE TABLE catalogue_models (
	provider TEXT NOT NULL,
	name TEXT NOT NULL,
	entry TEXT NOT NULL,
	CONSTRAINT pk_catalogue_models PRIMARY KEY (provider, name)
);

CREATE TABLE codes (
	id CHAR(32) NOT NULL,
	purpose TEXT NOT NULL,
	user_id CHAR(32),
	digest BLOB NOT NULL,
	created_at DATETIME NOT NULL,
	expires_at DATETIME NOT NULL,
	used_at DATETIME,
	CONSTRAINT fk_codes_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
	CONSTRAINT pk_codes PRIMARY KEY (id)
);

CREATE TABLE datasets (
	id CHAR(32) NOT NULL,
	project_id CHAR(32) NOT NULL,
	filename TEXT NOT NULL,
	format TEXT NOT NULL,
	kind TEXT NOT NULL,
	size BIGINT NOT NULL,
	digest BLOB NOT NULL,
	content_hash BLOB NOT NULL,
	names TEXT NOT NULL,
	parts TEXT NOT NULL,
	row_count BIGINT NOT NULL,
	truth_count BIGINT NOT NULL,
	prediction_count BIGINT NOT NULL,
	job_id CHAR(32),
	source_id CHAR(32),
	generated_by TEXT,
	revision INTEGER NOT NULL,
	previous_id CHAR(32),
	label TEXT,
	created_at DATETIME NOT NULL,
	created_by CHAR(32),
	version INTEGER NOT NULL,
	CONSTRAINT fk_datasets_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL,
	CONSTRAINT fk_datasets_previous_id_datasets FOREIGN KEY(previous_id) REFERENCES datasets (id) ON DELETE SET NULL,
	CONSTRAINT fk_datasets_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE,
	CONSTRAINT fk_datasets_source_id_datasets FOREIGN KEY(source_id) REFERENCES datasets (id) ON DELETE SET NULL,
	CONSTRAINT pk_datasets PRIMARY KEY (id),
	CONSTRAINT uq_datasets_project_id_filename_revision UNIQUE (project_id, filename, revision)
);

CREATE TABLE db_metadata (
	id INTEGER NOT NULL,
	version INTEGER NOT NULL,
	CONSTRAINT pk_db_metadata PRIMARY KEY (id)
);

INSERT INTO "db_metadata" VALUES(1,6);

CREATE TABLE decisions (
	id CHAR(32) NOT NULL,
	hypothesis_id CHAR(32) NOT NULL,
	status TEXT,
	computed TEXT NOT NULL,
	reason TEXT NOT NULL,
	author_id CHAR(32),
	at DATETIME NOT NULL,
	CONSTRAINT fk_decisions_author_id_users FOREIGN KEY(author_id) REFERENCES users (id) ON DELETE SET NULL,
	CONSTRAINT fk_decisions_hypothesis_id_hypotheses FOREIGN KEY(hypothesis_id) REFERENCES hypotheses (id) ON DELETE CASCADE,
	CONSTRAINT pk_decisions PRIMARY KEY (id)
);

CREATE TABLE ended_sessions (
	id CHAR(32) NOT NULL,
	user_id CHAR(32) NOT NULL,
	expires_at DATETIME NOT NULL,
	CONSTRAINT fk_ended_sessions_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
	CONSTRAINT pk_ended_sessions PRIMARY KEY (id)
);

CREATE TABLE evaluation_secrets (
	owner_id CHAR(32) NOT NULL,
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	updated_by CHAR(32),
	version INTEGER NOT NULL,
	key_id TEXT NOT NULL,
	nonce BLOB NOT NULL,
	ciphertext BLOB NOT NULL,
	CONSTRAINT fk_evaluation_secrets_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id) ON DELETE CASCADE,
	CONSTRAINT fk_evaluation_secrets_updated_by_users FOREIGN KEY(updated_by) REFERENCES users (id) ON DELETE SET NULL,
	CONSTRAINT pk_evaluation_secrets PRIMARY KEY (owner_id, name)
);

CREATE TABLE evaluations (
	id CHAR(32) NOT NULL,
	project_id CHAR(32) NOT NULL,
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	dataset_id CHAR(32) NOT NULL,
	max_samples INTEGER NOT NULL,
	task TEXT NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	created_by CHAR(32),
	version INTEGER NOT NULL,
	CONSTRAINT fk_evaluations_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL,
	CONSTRAINT fk_evaluations_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE,
	CONSTRAINT pk_evaluations PRIMARY KEY (id)
);

CREATE TABLE "experiments" (
	id CHAR(32) NOT NULL,
	project_id CHAR(32) NOT NULL,
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	status TEXT NOT NULL,
	parent_id CHAR(32),
	features JSON NOT NULL,
	params JSON NOT NULL,
	git_diff TEXT,
	color TEXT NOT NULL,
	position INTEGER NOT NULL,
	tags JSON NOT NULL,
	progress DOUBLE NOT NULL,
	created_at DATETIME NOT NULL,
	started_at DATETIME,
	completed_at DATETIME,
	version INTEGER NOT NULL,
	created_by CHAR(32),
	end_kind TEXT,
	end_reason TEXT,
	heartbeat_at DATETIME,
	run_key CHAR(32),
	CONSTRAINT fk_experiments_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL,
	CONSTRAINT fk_experiments_parent_id_experiments FOREIGN KEY(parent_id) REFERENCES experiments (id) ON DELETE SET NULL,
	CONSTRAINT fk_experiments_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE,
	CONSTRAINT pk_experiments PRIMARY KEY (id),
	CONSTRAINT uq_experiments_project_id_run_key UNIQUE (project_id, run_key)
);

CREATE TABLE external_identities (
	issuer TEXT NOT NULL,
	subject TEXT NOT NULL,
	user_id CHAR(32) NOT NULL,
	CONSTRAINT fk_external_identities_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
	CONSTRAINT pk_external_identities PRIMARY KEY (issuer, subject)
);

CREATE TABLE grants (
	id CHAR(32) NOT NULL,
	user_id CHAR(32) NOT NULL,
	action TEXT NOT NULL,
	effect TEXT NOT NULL,
	project_id CHAR(32),
	team_id CHAR(32),
	until DATETIME,
	granted_by CHAR(32),
	created_at DATETIME NOT NULL,
	CONSTRAINT ck_grants_ck_grants_one_place CHECK ((project_id IS NULL) <> (team_id IS NULL)),
	CONSTRAINT fk_grants_granted_by_users FOREIGN KEY(granted_by) REFERENCES users (id) ON DELETE SET NULL,
	CONSTRAINT fk_grants_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE,
	CONSTRAINT fk_grants_team_id_teams FOREIGN KEY(team_id) REFERENCES teams (id) ON DELETE CASCADE,
	CONSTRAINT fk_grants_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
	CONSTRAINT pk_grants PRIMARY KEY (id)
);

CREATE TABLE hypotheses (
	id CHAR(32) NOT NULL,
	project_id CHAR(32) NOT NULL,
	title TEXT NOT NULL,
	description TEXT NOT NULL,
	author_id CHAR(32),
	targets JSON NOT NULL,
	baseline TEXT NOT NULL,
	threshold DOUBLE NOT NULL,
	alpha DOUBLE NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	version INTEGER NOT NULL,
	CONSTRAINT fk_hypotheses_author_id_users FOREIGN KEY(author_id) REFERENCES users (id) ON DELETE SET NULL,
	CONSTRAINT fk_hypotheses_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE,
	CONSTRAINT pk_hypotheses PRIMARY KEY (id)
);

CREATE TABLE hypothesis_experiments (
	hypothesis_id CHAR(32) NOT NULL,
	experiment_id CHAR(32) NOT NULL,
	CONSTRAINT fk_hypothesis_experiments_experiment_id_experiments FOREIGN KEY(experiment_id) REFERENCES experiments (id) ON DELETE CASCADE,
	CONSTRAINT fk_hypothesis_experiments_hypothesis_id_hypotheses FOREIGN KEY(hypothesis_id) REFERENCES hypotheses (id) ON DELETE CASCADE,
	CONSTRAINT pk_hypothesis_experiments PRIMARY KEY (hypothesis_id, experiment_id)
);

CREATE TABLE hypothesis_queries (
	hypothesis_id CHAR(32) NOT NULL,
	query_id CHAR(32) NOT NULL,
	CONSTRAINT fk_hypothesis_queries_hypothesis_id_hypotheses FOREIGN KEY(hypothesis_id) REFERENCES hypotheses (id) ON DELETE CASCADE,
	CONSTRAINT fk_hypothesis_queries_query_id_saved_queries FOREIGN KEY(query_id) REFERENCES saved_queries (id) ON DELETE CASCADE,
	CONSTRAINT pk_hypothesis_queries PRIMARY KEY (hypothesis_id, query_id)
);

CREATE TABLE job_files (
	job_id CHAR(32) NOT NULL,
	name TEXT NOT NULL,
	digest BLOB NOT NULL,
	size BIGINT NOT NULL,
	at DATETIME NOT NULL,
	CONSTRAINT fk_job_files_job_id_jobs FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE,
	CONSTRAINT pk_job_files PRIMARY KEY (job_id, name)
);

CREATE TABLE job_passes (
	job_id CHAR(32) NOT NULL,
	attempt INTEGER NOT NULL,
	handle_digest BLOB NOT NULL,
	pass_digest BLOB,
	admitted_at DATETIME,
	sent_by CHAR(32) NOT NULL,
	CONSTRAINT fk_job_passes_job_id_jobs FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE,
	CONSTRAINT fk_job_passes_sent_by_users FOREIGN KEY(sent_by) REFERENCES users (id) ON DELETE CASCADE,
	CONSTRAINT pk_job_passes PRIMARY KEY (job_id, attempt)
);

CREATE TABLE job_rows (
	job_id CHAR(32) NOT NULL,
	number INTEGER NOT NULL,
	is_answered BOOLEAN NOT NULL,
	outcome BLOB NOT NULL,
	CONSTRAINT fk_job_rows_job_id_jobs FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE,
	CONSTRAINT pk_job_rows PRIMARY KEY (job_id, number)
)
 WITHOUT ROWID;

CREATE TABLE job_tallies (
	job_id CHAR(32) NOT NULL,
	answered INTEGER NOT NULL,
	CONSTRAINT fk_job_tallies_job_id_jobs FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE,
	CONSTRAINT pk_job_tallies PRIMARY KEY (job_id)
);

CREATE TABLE jobs (
	id CHAR(32) NOT NULL,
	project_id CHAR(32) NOT NULL,
	workflow_id CHAR(32),
	kind TEXT NOT NULL,
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	dataset_id CHAR(32) NOT NULL,
	max_samples INTEGER NOT NULL,
	batch_size INTEGER NOT NULL,
	status TEXT NOT NULL,
	why TEXT NOT NULL,
	rows_total INTEGER,
	rows_done INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	created_by CHAR(32),
	version INTEGER NOT NULL,
	course TEXT NOT NULL,
	config TEXT NOT NULL,
	events TEXT NOT NULL,
	CONSTRAINT fk_jobs_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL,
	CONSTRAINT fk_jobs_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE,
	CONSTRAINT pk_jobs PRIMARY KEY (id)
);

CREATE TABLE limits (
	"key" TEXT NOT NULL,
	level DOUBLE NOT NULL,
	at DATETIME NOT NULL,
	CONSTRAINT pk_limits PRIMARY KEY ("key")
);

CREATE TABLE manifest_blobs (
	manifest_id INTEGER NOT NULL,
	digest BLOB NOT NULL,
	CONSTRAINT fk_manifest_blobs_manifest_id_manifests FOREIGN KEY(manifest_id) REFERENCES manifests (id) ON DELETE CASCADE,
	CONSTRAINT pk_manifest_blobs PRIMARY KEY (manifest_id, digest)
);

CREATE TABLE manifests (
	id INTEGER NOT NULL,
	digest BLOB NOT NULL,
	packed BLOB NOT NULL,
	CONSTRAINT pk_manifests PRIMARY KEY (id),
	CONSTRAINT uq_manifests_digest UNIQUE (digest)
);

CREATE TABLE merges (
	experiment_id CHAR(32) NOT NULL,
	parent_id CHAR(32) NOT NULL,
	CONSTRAINT fk_merges_experiment_id_experiments FOREIGN KEY(experiment_id) REFERENCES experiments (id) ON DELETE CASCADE,
	CONSTRAINT fk_merges_parent_id_experiments FOREIGN KEY(parent_id) REFERENCES experiments (id) ON DELETE CASCADE,
	CONSTRAINT pk_merges PRIMARY KEY (experiment_id, parent_id)
);

CREATE TABLE metric_summaries (
	experiment_id CHAR(32) NOT NULL,
	field_id INTEGER NOT NULL,
	value DOUBLE,
	last DOUBLE,
	min DOUBLE,
	max DOUBLE,
	finals BIGINT NOT NULL,
	points BIGINT NOT NULL,
	CONSTRAINT fk_metric_summaries_experiment_id_experiments FOREIGN KEY(experiment_id) REFERENCES experiments (id) ON DELETE CASCADE,
	CONSTRAINT fk_metric_summaries_field_id_search_fields FOREIGN KEY(field_id) REFERENCES search_fields (id) ON DELETE CASCADE,
	CONSTRAINT pk_metric_summaries PRIMARY KEY (experiment_id, field_id)
);

CREATE TABLE metrics (
	id CHAR(32) NOT NULL,
	experiment_id CHAR(32) NOT NULL,
	name TEXT NOT NULL,
	label TEXT NOT NULL,
	step BIGINT NOT NULL,
	value DOUBLE NOT NULL,
	created_at DATETIME NOT NULL,
	CONSTRAINT fk_metrics_experiment_id_experiments FOREIGN KEY(experiment_id) REFERENCES experiments (id) ON DELETE CASCADE,
	CONSTRAINT pk_metrics PRIMARY KEY (id),
	CONSTRAINT uq_metrics_experiment_id_name_label_step UNIQUE (experiment_id, name, label, step)
);

CREATE TABLE project_members (
	project_id CHAR(32) NOT NULL,
	user_id CHAR(32) NOT NULL,
	role TEXT NOT NULL,
	added_at DATETIME NOT NULL,
	CONSTRAINT fk_project_members_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE,
	CONSTRAINT fk_project_members_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
	CONSTRAINT pk_project_members PRIMARY KEY (project_id, user_id)
);

CREATE TABLE "projects" (
	id CHAR(32) NOT NULL,
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	owner_id CHAR(32) NOT NULL,
	team_id CHAR(32),
	metrics JSON NOT NULL,
	settings JSON NOT NULL,
	created_at DATETIME NOT NULL,
	version INTEGER NOT NULL,
	CONSTRAINT fk_projects_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id),
	CONSTRAINT fk_projects_team_id_teams FOREIGN KEY(team_id) REFERENCES teams (id) ON DELETE SET NULL,
	CONSTRAINT pk_projects PRIMARY KEY (id)
);

CREATE TABLE purges (
	id CHAR(32) NOT NULL,
	project_id CHAR(32) NOT NULL,
	experiment_id CHAR(32),
	requested_at DATETIME NOT NULL,
	CONSTRAINT pk_purges PRIMARY KEY (id)
);

CREATE TABLE saved_queries (
	id CHAR(32) NOT NULL,
	project_id CHAR(32) NOT NULL,
	name TEXT NOT NULL,
	filter TEXT NOT NULL,
	order_by TEXT NOT NULL,
	author_id CHAR(32),
	created_at DATETIME NOT NULL,
	version INTEGER NOT NULL,
	CONSTRAINT fk_saved_queries_author_id_users FOREIGN KEY(author_id) REFERENCES users (id) ON DELETE SET NULL,
	CONSTRAINT fk_saved_queries_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE,
	CONSTRAINT pk_saved_queries PRIMARY KEY (id),
	CONSTRAINT uq_saved_queries_project_id_name UNIQUE (project_id, name)
);

CREATE TABLE search_fields (
	id INTEGER NOT NULL,
	project_id CHAR(32) NOT NULL,
	kind TEXT NOT NULL,
	path TEXT NOT NULL,
	label TEXT NOT NULL,
	CONSTRAINT fk_search_fields_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE,
	CONSTRAINT pk_search_fields PRIMARY KEY (id),
	CONSTRAINT uq_search_fields_project_id_kind_path_label UNIQUE (project_id, kind, path, label)
);

CREATE TABLE snapshots (
	id CHAR(32) NOT NULL,
	experiment_id CHAR(32) NOT NULL,
	manifest_id INTEGER NOT NULL,
	environment JSON NOT NULL,
	created_at DATETIME NOT NULL,
	created_by CHAR(32),
	CONSTRAINT fk_snapshots_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL,
	CONSTRAINT fk_snapshots_experiment_id_experiments FOREIGN KEY(experiment_id) REFERENCES experiments (id) ON DELETE CASCADE,
	CONSTRAINT fk_snapshots_manifest_id_manifests FOREIGN KEY(manifest_id) REFERENCES manifests (id),
	CONSTRAINT pk_snapshots PRIMARY KEY (id)
);

CREATE TABLE standing_changes (
	id INTEGER NOT NULL,
	changes BIGINT NOT NULL,
	CONSTRAINT pk_standing_changes PRIMARY KEY (id)
);

INSERT INTO "standing_changes" VALUES(1,0);

CREATE TABLE team_members (
	team_id CHAR(32) NOT NULL,
	user_id CHAR(32) NOT NULL,
	role TEXT NOT NULL,
	added_at DATETIME NOT NULL,
	CONSTRAINT fk_team_members_team_id_teams FOREIGN KEY(team_id) REFERENCES teams (id) ON DELETE CASCADE,
	CONSTRAINT fk_team_members_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
	CONSTRAINT pk_team_members PRIMARY KEY (team_id, user_id)
);

CREATE TABLE teams (
	id CHAR(32) NOT NULL,
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	created_at DATETIME NOT NULL,
	version INTEGER NOT NULL,
	CONSTRAINT pk_teams PRIMARY KEY (id)
);

CREATE TABLE "users" (
	id CHAR(32) NOT NULL,
	email TEXT NOT NULL,
	display_name TEXT NOT NULL,
	created_at DATETIME NOT NULL,
	avatar_url TEXT,
	password_hash TEXT,
	is_active BOOLEAN DEFAULT 1 NOT NULL,
	is_superuser BOOLEAN DEFAULT 0 NOT NULL,
	is_verified BOOLEAN DEFAULT 0 NOT NULL,
	epoch INTEGER DEFAULT '0' NOT NULL,
	version INTEGER DEFAULT '0' NOT NULL,
	CONSTRAINT pk_users PRIMARY KEY (id),
	CONSTRAINT uq_users_email UNIQUE (email)
);

INSERT INTO "users" VALUES('00000000000070008000000000000001','local@localhost','Local user','1970-01-01 00:00:00.000000',NULL,NULL,1,0,0,0,0);

CREATE TABLE workflows (
	id CHAR(32) NOT NULL,
	project_id CHAR(32) NOT NULL,
	evaluation_id CHAR(32) NOT NULL,
	experiment_id CHAR(32),
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	model TEXT NOT NULL,
	config TEXT NOT NULL,
	steps TEXT NOT NULL,
	status TEXT NOT NULL,
	stop_asked_at DATETIME,
	events TEXT NOT NULL,
	created_at DATETIME NOT NULL,
	created_by CHAR(32),
	version INTEGER NOT NULL,
	CONSTRAINT fk_workflows_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL,
	CONSTRAINT fk_workflows_evaluation_id_evaluations FOREIGN KEY(evaluation_id) REFERENCES evaluations (id) ON DELETE CASCADE,
	CONSTRAINT fk_workflows_experiment_id_experiments FOREIGN KEY(experiment_id) REFERENCES experiments (id) ON DELETE SET NULL,
	CONSTRAINT fk_workflows_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE,
	CONSTRAINT pk_workflows PRIMARY KEY (id)
);

CREATE INDEX ix_api_tokens_user_id ON api_tokens (user_id);

CREATE INDEX ix_artifacts_created_by ON artifacts (created_by);

CREATE INDEX ix_artifacts_digest ON artifacts (digest);

CREATE INDEX ix_attributes_field_id_number_experiment_id ON attributes (field_id, number, experiment_id);

CREATE INDEX ix_audit_project_id ON audit (project_id);

CREATE INDEX ix_audit_team_id ON audit (team_id);

CREATE INDEX ix_blob_uploads_user_id ON blob_uploads (user_id);

CREATE INDEX ix_blobs_review_at ON blobs (review_at);

CREATE INDEX ix_branches_experiment_id ON branches (experiment_id);

CREATE INDEX ix_branches_made_by ON branches (made_by);

CREATE INDEX ix_codes_user_id ON codes (user_id);

CREATE INDEX ix_datasets_created_at_id ON datasets (created_at, id);

CREATE INDEX ix_datasets_created_by ON datasets (created_by);

CREATE INDEX ix_datasets_digest ON datasets (digest);

CREATE INDEX ix_datasets_job_id ON datasets (job_id);

CREATE INDEX ix_datasets_previous_id ON datasets (previous_id);

CREATE INDEX ix_datasets_project_id_created_at_id ON datasets (project_id, created_at, id);

CREATE INDEX ix_datasets_source_id ON datasets (source_id);

CREATE INDEX ix_decisions_author_id ON decisions (author_id);

CREATE INDEX ix_decisions_hypothesis_id ON decisions (hypothesis_id);

CREATE INDEX ix_ended_sessions_expires_at ON ended_sessions (expires_at);

CREATE INDEX ix_ended_sessions_user_id ON ended_sessions (user_id);

CREATE INDEX ix_evaluation_secrets_updated_by ON evaluation_secrets (updated_by);

CREATE INDEX ix_evaluations_created_at_id ON evaluations (created_at, id);

CREATE INDEX ix_evaluations_created_by ON evaluations (created_by);

CREATE INDEX ix_evaluations_project_id_created_at_id ON evaluations (project_id, created_at, id);

CREATE INDEX ix_experiments_created_at ON experiments (created_at);

CREATE INDEX ix_experiments_created_by ON experiments (created_by);

CREATE INDEX ix_experiments_parent_id ON experiments (parent_id);

CREATE INDEX ix_experiments_project_id_created_at_id ON experiments (project_id, created_at, id);

CREATE INDEX ix_experiments_project_id_name ON experiments (project_id, name);

CREATE INDEX ix_experiments_project_id_position ON experiments (project_id, position);

CREATE INDEX ix_experiments_status ON experiments (status) WHERE status = 'running';

CREATE INDEX ix_external_identities_user_id ON external_identities (user_id);

CREATE INDEX ix_grants_project_id ON grants (project_id);

CREATE INDEX ix_grants_team_id ON grants (team_id);

CREATE INDEX ix_grants_user_id ON grants (user_id);

CREATE INDEX ix_hypotheses_author_id ON hypotheses (author_id);

CREATE INDEX ix_hypotheses_created_at ON hypotheses (created_at);

CREATE INDEX ix_hypotheses_project_id ON hypotheses (project_id);

CREATE INDEX ix_hypothesis_experiments_experiment_id ON hypothesis_experiments (experiment_id);

CREATE INDEX ix_hypothesis_queries_query_id ON hypothesis_queries (query_id);

CREATE INDEX ix_job_files_digest ON job_files (digest);

CREATE INDEX ix_job_passes_sent_by ON job_passes (sent_by);

CREATE INDEX ix_jobs_created_at_id_kind ON jobs (created_at, id, kind);

CREATE INDEX ix_jobs_created_by ON jobs (created_by);

CREATE INDEX ix_jobs_project_id_created_at_id_kind ON jobs (project_id, created_at, id, kind);

CREATE INDEX ix_jobs_that_go_on ON jobs (created_at, id) WHERE status IN ('created', 'pending', 'running');

CREATE INDEX ix_limits_at ON limits (at);

CREATE INDEX ix_manifest_blobs_digest ON manifest_blobs (digest);

CREATE INDEX ix_merges_parent_id ON merges (parent_id);

CREATE INDEX ix_metric_summaries_field_id_value_experiment_id ON metric_summaries (field_id, value, experiment_id);

CREATE INDEX ix_project_members_user_id ON project_members (user_id);

CREATE INDEX ix_projects_name ON projects (name);

CREATE INDEX ix_projects_owner_id ON projects (owner_id);

CREATE INDEX ix_projects_team_id ON projects (team_id);

CREATE INDEX ix_saved_queries_author_id ON saved_queries (author_id);

CREATE INDEX ix_snapshots_created_by ON snapshots (created_by);

CREATE INDEX ix_snapshots_experiment_id ON snapshots (experiment_id);

CREATE INDEX ix_snapshots_manifest_id ON snapshots (manifest_id);

CREATE INDEX ix_team_members_user_id ON team_members (user_id);

CREATE INDEX ix_teams_name ON teams (name);

CREATE INDEX ix_workflows_created_by ON workflows (created_by);

CREATE INDEX ix_workflows_evaluation_id_created_at_id ON workflows (evaluation_id, created_at, id);

CREATE INDEX ix_workflows_experiment_id ON workflows (experiment_id);

CREATE INDEX ix_workflows_project_id ON workflows (project_id);

CREATE INDEX ix_workflows_that_go_on ON workflows (created_at, id) WHERE status IN ('created', 'running');

