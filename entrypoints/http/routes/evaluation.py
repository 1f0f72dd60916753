"""Routes of evaluation. What clients call an experiment here is an evaluation in the domain."""

from __future__ import annotations

from tracker.domain.identity.policy import Action

from ..api.addresses import API_V1
from ..api.catalogue import Deployment, Models, Secrets
from ..api.datasets import Datasets, Files
from ..api.jobs import Jobs
from ..api.workflows import Evaluations, Workflows
from ..media import OCTETS
from ..route import Route, Scope
from ..schemas.catalogue import (
    DeploymentOut,
    ModelIn,
    ModelKeyQuery,
    ModelOut,
    ModelPageOut,
    ModelQuery,
    SecretOut,
    SecretPut,
)
from ..schemas.datasets import DatasetDownloadOut, DatasetForm, DatasetOut, DatasetPageOut, DownloadQuery
from ..schemas.evaluation import ListQuery
from ..schemas.jobs import (
    AnnotateCreate,
    EvaluatorCreate,
    InferenceCreate,
    JobDownloadOut,
    JobLogsOut,
    JobOut,
    JobPageOut,
    JobQuery,
    JobResultOut,
)
from ..schemas.workflows import (
    EvaluationCreate,
    EvaluationOut,
    EvaluationPageOut,
    ForceQuery,
    WorkflowComparisonOut,
    WorkflowComparisonQuery,
    WorkflowCreate,
    WorkflowDetailOut,
    WorkflowOut,
)

__all__ = ["EVALUATION"]

_DATASETS, _JOBS, _SECRETS = f"{API_V1}/datasets", f"{API_V1}/jobs", f"{API_V1}/settings/secrets"
_EXPERIMENTS, _WORKFLOWS, _MODELS = f"{API_V1}/experiments", f"{API_V1}/workflows", f"{API_V1}/models"
_DATASET, _JOB = f"{_DATASETS}/{{dataset_id}}", f"{_JOBS}/{{job_id}}"
_EVALUATION, _WORKFLOW = f"{_EXPERIMENTS}/{{evaluation_id}}", f"{_WORKFLOWS}/{{workflow_id}}"
_SECRET = f"{_SECRETS}/{{name}}"
_VIEW, _CREATE = Action.EXPERIMENTS_VIEW, Action.EXPERIMENTS_CREATE
_EDIT, _DELETE = Action.EXPERIMENTS_EDIT, Action.EXPERIMENTS_DELETE

EVALUATION: tuple[Route, ...] = (
    Route(
        "GET", f"{API_V1}/health/", Deployment, "show", None, Scope.PUBLIC,
        "Tells that the process answers, and what kind of deployment it is", DeploymentOut,
    ),
    Route(
        "POST", f"{_DATASETS}/", Datasets, "upload", _CREATE, Scope.PROJECT,
        "Takes a dataset: CSV, JSON Lines or Parquet with a column of examples", DatasetOut,
        uploads=True, form=DatasetForm, status=201,
    ),
    Route(
        "GET", f"{_DATASETS}/", Datasets, "list", _VIEW, Scope.PROJECT,
        "Lists datasets, newest first", DatasetPageOut, query=ListQuery,
    ),
    Route("GET", _DATASET, Datasets, "show", _VIEW, Scope.DATASET, "Shows a dataset", DatasetOut),
    Route(
        "DELETE", _DATASET, Datasets, "delete", _DELETE, Scope.DATASET,
        "Deletes a dataset; jobs that still read it fail, and say why; the header X-Kept says what stays",
        None, status=204,
    ),
    Route(
        "GET", f"{_DATASET}/download", Datasets, "download", _VIEW, Scope.DATASET,
        "Gives URLs of its files that hold for an hour", DatasetDownloadOut, query=DownloadQuery,
    ),
    Route(
        "GET", f"{API_V1}/files/{{link}}", Files, "content", None, Scope.LINK,
        "Gives the bytes that a link leads to, or some of them", bytes, media=OCTETS, ranges=True,
        words=("link",),
    ),
    Route(
        "POST", f"{_JOBS}/inference/", Jobs, "infer", _CREATE, Scope.DATASET,
        "Has a model answer a dataset", JobOut, InferenceCreate, status=201,
    ),
    Route(
        "POST", f"{_JOBS}/annotate/", Jobs, "annotate", _CREATE, Scope.DATASET,
        "Has a model write the ground truth of a dataset", JobOut, AnnotateCreate, status=201,
    ),
    Route(
        "POST", f"{_JOBS}/evaluator/", Jobs, "evaluate", _CREATE, Scope.DATASET,
        "Scores the answers in a dataset", JobOut, EvaluatorCreate, status=201,
    ),
    Route(
        "GET", f"{_JOBS}/", Jobs, "list", _VIEW, Scope.PROJECT,
        "Lists jobs, newest first", JobPageOut, query=JobQuery,
    ),
    Route("GET", _JOB, Jobs, "show", _VIEW, Scope.JOB, "Shows a job and how it goes", JobOut),
    Route("GET", f"{_JOB}/logs", Jobs, "logs", _VIEW, Scope.JOB, "Gives what a job printed", JobLogsOut),
    Route("GET", f"{_JOB}/dataset", Jobs, "dataset", _VIEW, Scope.JOB, "Shows what a job made", DatasetOut),
    Route("GET", f"{_JOB}/result", Jobs, "result", _VIEW, Scope.JOB, "Gives what a job found", JobResultOut),
    Route(
        "GET", f"{_JOB}/result/download", Jobs, "result_download", _VIEW, Scope.JOB,
        "Gives a URL of a job's result that holds for an hour", JobDownloadOut,
    ),
    Route("POST", f"{_JOB}/cancel", Jobs, "cancel", _EDIT, Scope.JOB, "Asks a job to stop", JobOut),
    Route(
        "POST", f"{_JOB}/retry", Jobs, "retry", _EDIT, Scope.JOB,
        "Has a job that failed or was stopped do the rest", JobOut,
    ),
    Route(
        "POST", f"{_EXPERIMENTS}/", Evaluations, "create", _CREATE, Scope.PROJECT,
        "Creates an evaluation of a dataset", EvaluationOut, EvaluationCreate, status=201,
    ),
    Route(
        "GET", f"{_EXPERIMENTS}/", Evaluations, "list", _VIEW, Scope.PROJECT,
        "Lists evaluations, newest first", EvaluationPageOut, query=ListQuery,
    ),
    Route(
        "GET", _EVALUATION, Evaluations, "show", _VIEW, Scope.EVALUATION,
        "Shows an evaluation with its workflows", EvaluationOut,
    ),
    Route(
        "DELETE", _EVALUATION, Evaluations, "delete", _DELETE, Scope.EVALUATION,
        "Deletes an evaluation with its workflows; the header X-Kept says what stays", None, status=204,
    ),
    Route(
        "POST", f"{_WORKFLOWS}/", Workflows, "create", _CREATE, Scope.EVALUATION,
        "Has a model answer an evaluation's dataset, and scores it", WorkflowOut, WorkflowCreate, status=201,
    ),
    Route(
        "GET", f"{_WORKFLOWS}/compare", Workflows, "compare", _VIEW, Scope.WORKFLOW,
        "Tells which of two workflows does better, and whether that may be chance", WorkflowComparisonOut,
        query=WorkflowComparisonQuery,
    ),
    Route(
        "GET", _WORKFLOW, Workflows, "show", _VIEW, Scope.WORKFLOW,
        "Shows a workflow with its jobs and what they found", WorkflowDetailOut,
    ),
    Route(
        "GET", f"{_WORKFLOW}/logs", Workflows, "logs", _VIEW, Scope.WORKFLOW,
        "Gives what the jobs of a workflow printed", JobLogsOut,
    ),
    Route(
        "GET", f"{_WORKFLOW}/result/download", Workflows, "result_download", _VIEW, Scope.WORKFLOW,
        "Gives a URL of a workflow's compiled result that holds for an hour", str,
    ),
    Route(
        "DELETE", _WORKFLOW, Workflows, "delete", _DELETE, Scope.WORKFLOW,
        "Deletes a workflow, by force one that runs; the header X-Kept says what stays", None,
        query=ForceQuery, status=204,
    ),
    Route(
        "GET", f"{_MODELS}/", Models, "list", None, Scope.SIGNED_IN,
        "Lists the models that are offered", ModelPageOut, query=ModelQuery,
    ),
    Route(
        "POST", f"{_MODELS}/", Models, "put", None, Scope.ADMINISTRATOR,
        "Offers a model, in the place of one of the same provider and name", ModelOut, ModelIn, status=201,
        present=True,
    ),
    Route(
        "DELETE", f"{_MODELS}/", Models, "remove", None, Scope.ADMINISTRATOR,
        "Offers a model no more", None, query=ModelKeyQuery, status=204,
    ),
    Route(
        "GET", f"{_SECRETS}/", Secrets, "list", None, Scope.SELF,
        "Lists your secrets, without their values", list[SecretOut],
    ),
    Route(
        "PUT", _SECRET, Secrets, "put", None, Scope.SELF,
        "Keeps a secret, in the place of one of this name, whatever the case", SecretOut, SecretPut,
        status=201, otherwise=204, words=("name",),
    ),
    Route(
        "DELETE", _SECRET, Secrets, "delete", None, Scope.SELF,
        "Forgets a secret", None, status=204, words=("name",),
    ),
)  # fmt: skip
