"""A MovieLens of eight ratings, to be written where it is wanted."""

MOVIES = """movieId,title,genres
1,Plain (1990),Drama|Comedy
2,"Comma, The (1991)",Comedy
3,"A ""quoted"" é (1992)",War
4,Nameless (1993),(no genres listed)
5,Unseen (1994),Musical
"""
RATINGS = """userId,movieId,rating,timestamp
7,1,4.0,964982703
7,2,0.5,964982704
7,3,5.0,964982705
3,1,1.5,964982706
3,3,5,964982707
3,4,2.0,964982708
12,1,3.5,964982709
12,3,0.5,964982710
"""


def write(folder, ratings=RATINGS, movies=MOVIES):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ratings.csv").write_text(ratings, encoding="utf-8")
    (folder / "movies.csv").write_text(movies, encoding="utf-8")
    return folder
