"""Writes questions.jsonl: 400 labelled questions in four groups of 100.

    python3 make_questions.py > questions.jsonl

The labels are sure by construction: capitals that are in every atlas, words of one category, reviews
whose words say nothing but good or nothing but bad, and lists whose animals are counted.
"""

import json
import random

random.seed(20261129)

CAPITALS = """Nepal:Kathmandu France:Paris Japan:Tokyo Germany:Berlin Italy:Rome Spain:Madrid
Portugal:Lisbon Greece:Athens Austria:Vienna Hungary:Budapest Poland:Warsaw Norway:Oslo
Sweden:Stockholm Finland:Helsinki Denmark:Copenhagen Ireland:Dublin Iceland:Reykjavik
Russia:Moscow Ukraine:Kyiv Turkey:Ankara Egypt:Cairo Kenya:Nairobi Ethiopia:Addis_Ababa
Morocco:Rabat Ghana:Accra Canada:Ottawa Mexico:Mexico_City Cuba:Havana Peru:Lima Chile:Santiago
Argentina:Buenos_Aires Brazil:Brasilia Colombia:Bogota Venezuela:Caracas India:New_Delhi
Pakistan:Islamabad Bangladesh:Dhaka Thailand:Bangkok Vietnam:Hanoi China:Beijing
South_Korea:Seoul Australia:Canberra New_Zealand:Wellington Iran:Tehran Iraq:Baghdad
Belgium:Brussels Romania:Bucharest Bulgaria:Sofia Serbia:Belgrade Croatia:Zagreb""".split()

CATEGORIES = {
    "animal": "horse sheep tiger eagle salmon frog spider whale rabbit goat donkey parrot lizard "
    "shark bee owl wolf camel zebra penguin",
    "food": "bread cheese butter rice soup pancake noodles sausage honey yogurt pizza omelette "
    "porridge salad biscuit sandwich curry jam pasta pie",
    "tool": "hammer screwdriver saw pliers wrench shovel rake drill chisel axe crowbar hoe file "
    "ladder spade sickle mallet scissors tweezers clamp",
    "clothing": "shirt trousers sock glove scarf jacket sweater dress skirt hat coat blouse vest "
    "pyjamas mitten apron belt cap sandal raincoat",
    "vehicle": "car bus truck bicycle motorcycle tram train ferry canoe helicopter airplane tractor "
    "van taxi scooter ambulance submarine sailboat minibus lorry",
}

GOOD = ["wonderful", "delightful", "excellent", "superb", "brilliant", "charming", "perfect",
        "beautiful", "marvellous", "fantastic"]
BAD = ["terrible", "boring", "dreadful", "awful", "dull", "horrible", "annoying", "disappointing",
       "miserable", "pathetic"]
THINGS = ["film", "book", "hotel", "concert", "meal"]
SHAPES = {
    True: ["What a {a} {t}! I enjoyed every minute and will come back.",
           "The {t} was {a}, and I have told all my friends to try it."],
    False: ["What a {a} {t}! I regret every minute and want my money back.",
            "The {t} was {a}, and I have warned all my friends against it."],
}

THINGS_AROUND = ("table lamp book bottle window stone cup pencil carpet clock bucket candle mirror "
                 "pillow basket").split()
ANIMALS = "dog cat cow pig hen duck fox bear mouse lion".split()

WHICH = {"type": "choice", "instructions": "Which category does the word belong to?",
         "choices": [{"value": name} for name in CATEGORIES]}
LIKES = {"type": "predicate", "instructions": "The writer liked it."}
COUNT = {"type": "score", "instructions": "How many animals does the text name?",
         "levels": [{"label": str(n), "value": n} for n in range(1, 6)]}


def facts():
    pairs = [pair.replace("_", " ").split(":") for pair in CAPITALS]
    for i, (country, capital) in enumerate(pairs):
        other = pairs[(i + 17) % len(pairs)][1]
        for city, is_true in ((capital, True), (other, False)):
            statement = f"{city} is the capital of {country}."
            question = {"type": "predicate", "instructions": statement}
            yield {"group": "facts", "question": question, "answer": is_true}


def words():
    for name, all_words in CATEGORIES.items():
        for word in all_words.split():
            yield {"group": "words", "input": word, "question": WHICH, "answer": name}


def reviews():
    for is_good, adjectives in ((True, GOOD), (False, BAD)):
        for i, adjective in enumerate(adjectives):
            for j, thing in enumerate(THINGS):
                shape = SHAPES[is_good][(i + j) % 2]
                text = shape.format(a=adjective, t=thing)
                yield {"group": "reviews", "input": text, "question": LIKES, "answer": is_good}


def counts():
    for i in range(100):
        n = 1 + i % 5
        named = random.sample(ANIMALS, n) + random.sample(THINGS_AROUND, 6 - n)
        random.shuffle(named)
        text = "In the room there were: " + ", ".join(f"a {name}" for name in named) + "."
        yield {"group": "counts", "input": text, "question": COUNT, "answer": n}


for i, line in enumerate([*facts(), *words(), *reviews(), *counts()]):
    print(json.dumps({"id": i, **line}))
