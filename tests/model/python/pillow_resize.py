# Pillow's answer to the resizings in FOLDER/cases.json: pictures stand one behind the other in pictures.bin, results go
# to resized.bin. With "crop" the shorter side becomes that long and the middle is cut out, as CLIP models are fed.
import json
import sys
from PIL import Image

FILTERS = {"bicubic": Image.BICUBIC, "bilinear": Image.BILINEAR, "lanczos": Image.LANCZOS}


def crop_middle(picture, side, resample):
    width, height = picture.size
    short, long = sorted((width, height))
    new_long = int(side * long / short)
    picture = picture.resize((side, new_long) if width <= height else (new_long, side), resample)
    left, top = (picture.size[0] - side) // 2, (picture.size[1] - side) // 2
    return picture.crop((left, top, left + side, top + side))


folder = sys.argv[1]
with open(folder + "/cases.json") as file:
    cases = json.load(file)
with open(folder + "/pictures.bin", "rb") as pictures, open(folder + "/resized.bin", "wb") as resized:
    for case in cases:
        width, height = case["from"]
        picture = Image.frombytes("RGB", (width, height), pictures.read(width * height * 3))
        resample = FILTERS[case["filter"]]
        if "crop" in case:
            result = crop_middle(picture, case["crop"], resample)
        else:
            result = picture.resize(tuple(case["to"]), resample)
        resized.write(result.tobytes())
