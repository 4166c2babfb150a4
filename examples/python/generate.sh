#!/bin/sh
# Makes the types in contract/ from the API's contract and the schemas of the events.
set -eu
cd "$(dirname "$0")"
docs=../../docs
mkdir -p contract

types() {
    datamodel-codegen --input "$1" --input-file-type "$2" --output "contract/$3.py" \
        --output-model-type typing.TypedDict --no-use-closed-typed-dict \
        --target-python-version 3.10 --formatters builtin --disable-timestamp
}

types $docs/openapi.yaml openapi api
for schema in "$docs"/events/*.schema.json; do
    types "$schema" jsonschema "$(basename "$schema" .schema.json)"
done
